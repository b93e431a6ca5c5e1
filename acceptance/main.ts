import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import colors from 'picocolors';
import { startTogether } from '../local/processes/disposables.ts';
import { reasonOf } from '../shared/core/errors.ts';
import { cdk } from './deployment/cdk.ts';
import { installEmulators } from './emulators/install.ts';
import { startMinistack, startMoto } from './emulators/start.ts';
import type { Context } from './steps/context.ts';
import { contracts } from './steps/contracts.ts';
import { deployment, destruction, update } from './steps/deploy.ts';
import { afterwards, rules } from './steps/events.ts';
import { lifecycle, lifecycleOnMoto } from './steps/lifecycle.ts';
import { startSurroundings } from './surroundings.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // about this machine's Node, not Lambda's

const steps = [
  ...contracts,
  ...deployment,
  ...rules,
  ...lifecycle,
  ...update,
  ...lifecycleOnMoto,
  ...afterwards,
  ...destruction,
];

const say = (line: string) => void process.stdout.write(`${line}\n`);
const secondsSince = (since: number) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const startedAt = Date.now();

const local = fileURLToPath(new URL('../.local', import.meta.url));
await mkdir(local, { recursive: true });
await using logFile = await open(join(local, 'acceptance.log'), 'w');
const log = (part: string) => (line: string) => void logFile.appendFile(`${part}: ${line}\n`);

const folder = await mkdtemp(join(tmpdir(), 'acceptance-'));
let title = 'ministack and moto are installed and started';
try {
  const python = await installEmulators(say);
  await using context = await startTogether(async (use): Promise<Context> => {
    const ministack = (as: 'published' | 'repaired', enforcesIam: boolean) =>
      use(startMinistack({ python, as, enforcesIam, log: log(`ministack (${as})`) }));
    const aws = await ministack('repaired', true);
    return {
      folder,
      surroundings: await use(startSurroundings({ folder, log: (part, line) => log(part)(line) })),
      ministack: aws,
      published: await ministack('published', true),
      openMinistack: await ministack('repaired', false),
      moto: await use(startMoto({ python, log: log('moto') })),
      cdk: cdk({ url: aws.url, folder, log: log('cdk') }),
      log: log('contracts'),
      outputs: undefined,
    };
  });
  for (const step of steps) {
    const since = Date.now();
    ({ title } = step);
    await step.run(context);
    say(`${colors.green('✓')} ${title} ${colors.dim(`(${secondsSince(since)})`)}`);
  }
} catch (error) {
  say(`${colors.red('✗')} ${title}\n${reasonOf(error)}\nThe log of everything is .local/acceptance.log.`);
  process.exitCode = 1;
} finally {
  await rm(folder, { recursive: true, force: true });
}
say(`${process.exitCode === 1 ? 'failed' : 'passed'} after ${secondsSince(startedAt)}`);
