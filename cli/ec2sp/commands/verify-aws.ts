import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod/mini';
import { loadSettings } from '../../../infra/settings/load-settings.ts';
import { tagKeysOf } from '../../../infra/settings/settings.ts';
import { reasonOf } from '../../../shared/core/errors.ts';
import { TagKeys } from '../../../shared/core/ownership.ts';
import { type Account, accountOf, type Checks, type Verdict } from '../../verify-aws/account.ts';
import { ec2 } from '../../verify-aws/ec2.ts';
import { ecs, fargate } from '../../verify-aws/ecs.ts';
import { eks } from '../../verify-aws/eks.ts';
import { awsCli, iam } from '../../verify-aws/iam.ts';
import { runAws } from '../aws-cli.ts';
import type { Action, Context } from '../context.ts';
import { cell, document } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';

const text = z.optional(z.string());
const Options = z.object({
  services: z._default(z.string(), 'ec2,ecs,fargate,iam,aws-cli'),
  ...{ clusterRole: text, nodeRole: text },
  ...{ dryRun: z.optional(z.boolean()), yes: z.optional(z.boolean()) },
});
type Options = z.infer<typeof Options>;

/** What was found about one assumption. */
type Finding = {
  readonly service: string;
  readonly assumed: string;
  readonly found: string;
  readonly verdict: Verdict;
};

/** Checks what the provider assumes of AWS on a live account, with AWS's command line and the credentials of this machine. */
export const verifyAws: Action = async (context, { options }) => {
  const { terminal, talk, configuration } = context;
  const given = Options.parse(options);
  const checks = checksOf(given);
  const { region, name: provider, lambdaUrl } = await configuration.deployment();
  if (lambdaUrl !== undefined)
    throw new UsageError('npm start runs in this folder. Give --region: which region of AWS is meant.');
  const path = configuration.settingsPath();
  const account = accountOf({
    ...{ region, provider, name: `ec2sp-verify-${randomBytes(4).toString('hex')}` },
    tagKeys:
      path === undefined ? TagKeys.parse({}) : tagKeysOf(loadSettings({ settings: path }, '/').settings),
    aws: (args, env) => runAws(context, args, { isKeptAtInterruption: true, ...(env && { env }) }),
    print: given.dryRun ? (line) => talk.print(`${line}\n`) : undefined,
    pause: (milliseconds, signal) => pause(milliseconds, undefined, { ...(signal && { signal }) }),
    now: Date.now,
    interrupted: terminal.interrupted,
  });
  for (const { service, makes, dollars, minutes } of checks)
    talk.say(`${service}: makes ${makes}. At most about $${dollars.toFixed(2)}, ${minutes} min.`);
  if (given.dryRun) {
    await dryRun(context, account, checks);
    return undefined;
  }
  await confirm(context, { account, checks, isConfirmed: given.yes ?? false });
  return verify(context, account, checks);
};

/** @throws UsageError */
const checksOf = ({ services, clusterRole, nodeRole }: Options): Checks[] => {
  const known: Readonly<Record<string, () => Checks>> = {
    ...{ ec2: () => ec2, ecs: () => ecs, fargate: () => fargate, iam: () => iam, 'aws-cli': () => awsCli },
    eks: () => {
      if (clusterRole === undefined || nodeRole === undefined)
        throw new UsageError(
          'EKS needs --cluster-role and --node-role: docs/deploy.md, Clusters, makes them.',
        );
      return eks({ cluster: clusterRole, node: nodeRole });
    },
  };
  return services.split(',').map((service) => {
    const checks = Object.hasOwn(known, service) ? known[service] : undefined;
    if (checks === undefined)
      throw new UsageError(`${service} is no service: expected ${Object.keys(known).join(', ')}`);
    return checks();
  });
};

const dryRun = async ({ talk }: Context, account: Account, checks: readonly Checks[]): Promise<void> => {
  for (const { service, run } of checks) {
    talk.print(`# ${service}\n`);
    await run(account, () => undefined);
    await account.remove();
  }
  talk.say(`Nothing was called. All names begin with ${account.name}; each run has others.`);
};

type Confirmation = {
  readonly account: Account;
  readonly checks: readonly Checks[];
  readonly isConfirmed: boolean;
};

/** Asks before money is spent. @throws UsageError where nobody can be asked, CommandError after another answer */
const confirm = async (context: Context, { account, checks, isConfirmed }: Confirmation): Promise<void> => {
  const { talk } = context;
  if (!isConfirmed && !talk.mayAsk)
    throw new UsageError('This spends money, and nobody can be asked: give --yes, or --dry-run.');
  const identity = ['sts', 'get-caller-identity', '--query', 'Account', '--output', 'text'];
  const { exitCode, stdout } = await runAws(context, identity);
  if (exitCode !== 0)
    throw new CommandError(
      'There are no AWS credentials that work. Log in, for instance with aws sso login.',
    );
  const dollars = checks.reduce((sum, one) => sum + one.dollars, 0).toFixed(2);
  const where = `account ${stdout.trim()}, ${account.region}`;
  if (isConfirmed) return;
  const answer = await talk.ask(`Spend at most about $${dollars} in ${where}? [y/N] `);
  if (!/^y(es)?$/i.test(answer)) throw new CommandError('Nothing was made.');
};

const verify = async (
  context: Context,
  account: Account,
  checks: readonly Checks[],
): Promise<number | undefined> => {
  const { terminal, talk, configuration } = context;
  const format = await configuration.format();
  const findings: Finding[] = [];
  const add = (finding: Finding) => {
    findings.push(finding);
    if (format === 'table') talk.print(rowOf(finding));
  };
  terminal.cleanUpTakesLong();
  talk.say(`The names of all that is made begin with ${account.name}.`);
  if (format === 'table') talk.print('| service | assumed | found | verdict |\n|---|---|---|---|\n');
  const remaining: string[] = [];
  for (const one of checks) {
    if (terminal.interrupted.aborted) break;
    await runChecks(context, account, [one, add]);
    talk.say(`Removing what was made of ${one.service}.`);
    remaining.push(...(await account.remove()));
  }
  if (format !== 'table') talk.print(await document(format, { results: findings }));
  for (const one of remaining) talk.say(`Could not be removed, and may cost money: ${one}`);
  if (remaining.length > 0) return exitCodes.failed;
  if (terminal.interrupted.aborted) return exitCodes.interrupted;
  return findings.some(({ verdict }) => verdict === 'otherwise') ? exitCodes.unhealthy : undefined;
};

/** Adds a finding for each assumption. Never rejects: what the checks did not reach was not seen. */
const runChecks = async (
  { terminal, talk }: Context,
  account: Account,
  [{ service, assumptions, run }, add]: readonly [Checks, (finding: Finding) => void],
): Promise<void> => {
  const open = new Set(assumptions);
  let reason = 'the checks ended before';
  try {
    await talk.during(`Checking ${service}`, () =>
      run(account, (assumed, found, verdict) => {
        open.delete(assumed);
        add({ service, assumed, found, verdict });
      }),
    );
  } catch (error) {
    reason = terminal.interrupted.aborted ? 'interrupted' : reasonOf(error);
  }
  for (const assumed of open) add({ service, assumed, found: reason, verdict: 'not seen' });
};

const rowOf = ({ service, assumed, found, verdict }: Finding): string =>
  `| ${[service, assumed, found, verdict].map((one) => cell(one).replaceAll('|', '\\|')).join(' | ')} |\n`;
