import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import * as z from 'zod/mini';
import { natsSubjects } from '../../../infra/settings/agent.ts';
import { loadSettings, parseSettings } from '../../../infra/settings/load-settings.ts';
import type { Settings } from '../../../infra/settings/settings.ts';
import { runAws } from '../aws-cli.ts';
import type { Action, Context } from '../context.ts';
import { CommandError, UsageError } from '../terminal.ts';
import { doctor } from './doctor.ts';
import { cdk } from './stacks.ts';

const text = z.optional(z.string());
const Options = z.object({
  ...{ natsUrl: text, natsCreds: text },
  ...{ dryRun: z.optional(z.boolean()), yes: z.optional(z.boolean()) },
});
type Options = z.infer<typeof Options>;
const Global = z.object({ region: text });
type Flags = Options & z.infer<typeof Global>;

/** One thing that `ec2sp init` does. */
type Step = {
  readonly what: string;
  /** What is run or written, as --dry-run prints it. */
  readonly shown: string;
  readonly run: () => Promise<unknown>;
};

/**
 * From credentials of an AWS account to a deployed provider. Each step is left out where its result is there already, so that the command can
 * be repeated after a failure.
 */
export const init: Action = async (context, { options, global }) => {
  const given = Options.parse(options);
  const { path, content, settings } = await settingsFor(context, { ...given, ...Global.parse(global) });
  context.talk.say(`The NATS user of the provider, with nsc:\n  ${nscLine(settings)}\n`);
  // Before anything is written or made, and so that a wrong profile is noticed.
  const account = given.dryRun ? 'ACCOUNT' : await accountIn(context, settings.homeRegion);
  const steps = stepsOf(context, given, { path, content, settings, account });
  if (!given.dryRun) context.talk.say(`This is about the AWS account ${account}.`);
  for (const { what, shown, run } of steps) {
    context.talk.say(`${what}.`);
    if (given.dryRun) context.talk.print(`${shown}\n`);
    else await run();
    context.terminal.interrupted.throwIfAborted();
  }
  if (given.dryRun) {
    context.talk.say('Nothing was changed.');
    return undefined;
  }
  context.talk.say('Examining what is deployed, as ec2sp doctor does. Next: docs/quickstart.md, step 5.');
  return doctor(context, { args: [], options, global });
};

/** The settings that are there, or those of the flags and answers, which have a `content` to write. */
const settingsFor = async (context: Context, flags: Flags): Promise<Omit<Planned, 'account'>> => {
  const path = context.configuration.settingsPath();
  if (path === undefined || !existsSync(path)) {
    const content = await askSettings(context, flags);
    return {
      path: path ?? join(context.terminal.folder, 'settings.json'),
      content,
      settings: parseSettings(content),
    };
  }
  const { settings } = loadSettings({ settings: path }, '/');
  checkFlags(flags, settings, path);
  context.talk.say(`The settings are those of ${path}, which is not changed.`);
  return { path, content: undefined, settings };
};

/** The settings that have no default. @throws UsageError where nobody can be asked */
const askSettings = async ({ talk }: Context, { natsUrl, natsCreds, region }: Flags) => {
  const answer = async (known: string | undefined, flag: string, question: string): Promise<string> => {
    if (known !== undefined) return known;
    if (!talk.mayAsk) throw new UsageError(`There are no settings, and nobody can be asked: give ${flag}.`);
    return talk.ask(question);
  };
  return {
    homeRegion: await answer(region, '--region', 'The home region, such as eu-west-1: '),
    nats: {
      urls: [
        await answer(natsUrl, '--nats-url', "The URL of DCM's NATS, such as tls://nats.example.com:4222: "),
      ],
      ...(natsCreds !== undefined && { credentialsSecret: 'dcm/nats' }),
    },
  };
};

/** @throws UsageError where a flag says something else than the settings that are there: they are used, and never changed. */
const checkFlags = ({ region, natsUrl }: Flags, { homeRegion, nats }: Settings, path: string): void => {
  const differing = [
    region !== undefined && region !== homeRegion && `--region (homeRegion is ${homeRegion})`,
    natsUrl !== undefined &&
      !nats.urls.includes(natsUrl) &&
      `--nats-url (nats.urls is ${nats.urls.join(', ')})`,
  ].filter((flag) => flag !== false);
  if (differing.length > 0)
    throw new UsageError(
      `${path} is there already: leave out ${differing.join(' and ')}, or change that file.`,
    );
};

/**
 * The account of the credentials, as STS in the region says it.
 * @throws CommandError where there are none that work there, or where there is no such region
 */
const accountIn = async (context: Context, region: string): Promise<string> => {
  const about = ['--query', 'Account', '--output', 'text'];
  const { exitCode, stdout, stderr } = await runAws(context, [
    ...['sts', 'get-caller-identity', '--region', region, ...about],
  ]);
  if (exitCode === 0) return stdout.trim();
  throw new CommandError(
    `There are no AWS credentials that work in ${region}: log in, for instance with aws sso login, and see that the region exists and is enabled. Nothing was changed. AWS's command line says: ${stderr.trim()}`,
  );
};

/** Creates a NATS user that may only publish statuses, and read what the settings need. */
const nscLine = (settings: Settings): string =>
  `nsc add user --name ${settings.provider.name} --allow-pub '${natsSubjects(settings).join(',')}' --allow-sub '_INBOX.>'`;

type Planned = {
  readonly path: string;
  readonly content: object | undefined;
  readonly settings: Settings;
  readonly account: string;
};

const stepsOf = (
  context: Context,
  { natsCreds, yes }: Options,
  { path, content, settings, account }: Planned,
): Step[] => {
  const { homeRegion: region, streamingRegions, nats, api } = settings;
  const creds = natsCreds === undefined ? undefined : resolve(context.terminal.folder, natsCreds);
  if (creds !== undefined && !existsSync(creds))
    throw new UsageError(`The file of the NATS credentials, ${creds}, is not there.`);
  const targets = [region, ...streamingRegions].map((one) => `aws://${account}/${one}`);
  const steps: (Step | false)[] = [
    content !== undefined && {
      what: `Writing ${path}`,
      shown: JSON.stringify(content, undefined, 2),
      run: () => writeFile(path, `${JSON.stringify(content, undefined, 2)}\n`, { flag: 'wx' }),
    },
    creds !== undefined &&
      nats.credentialsSecret !== undefined && {
        what: 'Storing the NATS credentials, unless the secret exists',
        ...secretStep(context, {
          region,
          name: nats.credentialsSecret,
          file: async () => creds,
          shown: creds,
        }),
      },
    api?.tokenSecret !== undefined && {
      what: "Making a token for the provider's API, unless the secret exists",
      ...secretStep(context, { region, name: api.tokenSecret, file: tokenFile, shown: 'A-NEW-TOKEN' }),
    },
    {
      what: 'Bootstrapping the regions for the CDK',
      shown: `cdk bootstrap ${targets.join(' ')}`,
      run: () => succeed('Bootstrapping', cdk(context, ['bootstrap', ...targets])),
    },
    {
      what: 'Deploying',
      shown: `cdk deploy --all -c settings=${path}`,
      run: () => {
        const approval = yes ? ['--require-approval', 'never'] : [];
        return succeed(
          'The deployment',
          cdk(context, ['deploy', '--all', '-c', `settings=${path}`, ...approval]),
        );
      },
    },
  ];
  return steps.filter((step) => step !== false);
};

const succeed = async (what: string, run: Promise<number | undefined>): Promise<void> => {
  if ((await run) !== undefined)
    throw new CommandError(`${what} failed, for the reason above. Afterwards ec2sp init can be repeated.`);
};

type Secret = {
  readonly region: string;
  readonly name: string;
  /** The file with its value: a value among the arguments could be read by everyone on this machine. */
  readonly file: (folder: string) => Promise<string>;
  readonly shown: string;
};

const secretStep = (context: Context, { region, name, file, shown }: Secret): Pick<Step, 'shown' | 'run'> => {
  const create = ['secretsmanager', 'create-secret', '--region', region, '--name', name, '--secret-string'];
  return {
    shown: `aws ${create.join(' ')} file://${shown}`,
    run: async () => {
      const describe = ['secretsmanager', 'describe-secret', '--region', region, '--secret-id', name];
      if ((await runAws(context, describe)).exitCode === 0) return;
      const folder = await mkdtemp(join(tmpdir(), 'ec2sp-'));
      try {
        const { exitCode, stderr } = await runAws(context, [...create, `file://${await file(folder)}`]);
        if (exitCode !== 0) throw new CommandError(`The secret ${name} could not be made: ${stderr.trim()}`);
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
};

const tokenFile = async (folder: string): Promise<string> => {
  const path = join(folder, 'token');
  await writeFile(path, randomBytes(32).toString('hex'), { mode: 0o600 });
  return path;
};
