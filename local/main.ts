import { createWriteStream, rmSync, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { reasonOf, SettingsError } from '../shared/core/errors.ts';
import type { Console } from './console.ts';
import { lockFolder } from './processes/folder-lock.ts';
import { agentName, checkOptions, type StackOptions } from './stack/options.ts';

const folder = fileURLToPath(new URL('../.local', import.meta.url));

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // Node 20 is supported

type Flags = {
  demo?: true;
  natsUrl?: string;
  ec2Endpoint?: string;
  generation?: 'today' | 'old';
  agentBin?: string;
  agentUrl?: string;
  agentTopic?: string;
  controlPlaneUrl?: string;
  controlPlane?: 'dcm';
  strict?: true;
  canary?: true;
  verbose?: true;
};

const command = new Command('npm start --')
  .description('Runs the EC2 service provider on this machine, with emulators of AWS and DCM.')
  .option(
    '--demo',
    'run a few VMs, containers and a cluster through their lives, check every status, and exit',
  )
  .option('--nats-url <url>', 'use a NATS server that is already running')
  .option(
    '--ec2-endpoint <url>',
    'use another EC2: the URL of its endpoint, or "aws" for EC2 itself with your credentials',
  )
  .addOption(
    new Option(
      '--generation <which>',
      'emulate the DCM before environment agents, whose control plane calls providers itself',
    )
      .choices(['today', 'old'])
      .default('today'),
  )
  .addOption(
    new Option('--agent-bin <path>', "use DCM's environment agent, built by you, instead of its emulator")
      .env('DCM_AGENT_BIN')
      .conflicts(['agentUrl', 'controlPlaneUrl', 'controlPlane']),
  )
  .addOption(
    new Option(
      '--agent-url <url>',
      'register at an environment agent that is already running; needs --nats-url',
    ).conflicts(['controlPlaneUrl', 'controlPlane']),
  )
  .option('--agent-topic <name>', "that agent's AGENT_TOPIC_NAME, or else its AGENT_NAME", agentName)
  .option('--control-plane-url <url>', 'register at an older control plane that is already running')
  .addOption(
    new Option(
      '--control-plane <which>',
      "use DCM's own service provider manager, of the older generation, built with Go the first time",
    )
      .choices(['dcm'])
      .conflicts('controlPlaneUrl'),
  )
  .option(
    '--strict',
    "skip statuses of resources that were not created through DCM, as today's control plane does",
  )
  .option('--canary', 'try the whole path each minute, as the setting canary does')
  .option('--verbose', 'print the logs of all components, which are also in .local/logs');

/**
 * Options from the environment are no contradiction: DCM_AGENT_BIN may be set for other starts.
 * @throws SettingsError where an option would have no effect beside the others.
 */
const checkContradictions = (): void => {
  const isGiven = (name: keyof Flags) => command.getOptionValueSource(name) === 'cli';
  const isOld = command.opts<Flags>().generation === 'old';
  for (const [name, flag] of [
    ['agentBin', '--agent-bin'],
    ['agentUrl', '--agent-url'],
  ] as const)
    if (isOld && isGiven(name))
      throw new SettingsError(`--generation old has no environment agent: leave ${flag} out`);
  if (isGiven('agentTopic') && !isGiven('agentUrl'))
    throw new SettingsError('--agent-topic needs --agent-url: the agent whose topic it is');
};

const run = async (flags: Flags): Promise<void> => {
  const { terminal } = await import('./console.ts'); // what takes seconds to load is loaded where the options are right
  const unlock = lockFolder(folder);
  removeEndpoints();
  process.once('exit', () => {
    removeEndpoints();
    unlock();
  });
  const show = terminal(process.stdout);
  const logs = await openLogs();
  const options: StackOptions = {
    ...flags,
    ...(flags.canary && { canarySeconds: 60 }),
    folder,
    log: (component, line) => {
      logs.write(component, line);
      if (flags.verbose) show.progress(component, line);
    },
    progress: show.progress,
  };
  try {
    if (flags.demo) {
      exitAtSignal();
      process.exitCode = (await runDemo(options, show)).length > 0 ? 1 : 0;
    } else await watch(options, show);
  } finally {
    logs.end();
  }
};

/** The full demo reads the emulated control plane's history. Another control plane has only its API, so the demo of one VM runs there. */
const runDemo = async (options: StackOptions, show: Console): Promise<string[]> => {
  if (options.agentUrl !== undefined)
    throw new SettingsError('--demo needs the control plane behind the agent: leave --agent-url out');
  const { dcmDemo, demo } = await import('./demo/demo.ts');
  return options.controlPlane === undefined && options.controlPlaneUrl === undefined
    ? demo(options, show)
    : dcmDemo(options, show);
};

/** Runs until Ctrl-C, and prints each status that reaches DCM. */
const watch = async (options: StackOptions, show: Console): Promise<void> => {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of signals)
      process.once(signal, () => {
        exitAtSignal(); // at the next one
        resolve();
      });
  });
  const { newStatusFilter } = await import('./console.ts');
  const { startStack } = await import('./stack/start-stack.ts');
  await using stack = await startStack({ ...options, accounts: options.ec2Endpoint === undefined });
  show.ready(stack.endpoints);
  show.nextSteps(stack.endpoints);
  const isNewStatus = newStatusFilter();
  stack.controlPlane?.onConsumed((consumed) => {
    if (isNewStatus(consumed)) show.status(consumed);
  });
  await interrupted;
  show.line('stopping');
};

/** Node's own reaction to a signal would leave the lock and endpoints.json behind. */
const exitAtSignal = (): void => {
  for (const signal of signals) process.once(signal, () => process.exit(128 + constants.signals[signal]));
};
const signals = ['SIGINT', 'SIGTERM'] as const;

/** A client that reads the file must find the addresses of what runs, or none. */
const removeEndpoints = (): void => rmSync(join(folder, 'endpoints.json'), { force: true });

/** One file for each component in .local/logs, overwritten at each start. */
const openLogs = async () => {
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const files = new Map<string, WriteStream>();
  return {
    write(component: string, line: string) {
      const file = files.get(component) ?? createWriteStream(join(logs, `${component}.log`));
      files.set(component, file);
      file.write(`${line}\n`);
    },
    end() {
      for (const file of files.values()) file.end();
    },
  };
};

try {
  const flags = command.parse().opts<Flags>();
  checkContradictions();
  await checkOptions(flags);
  await run(flags);
} catch (error) {
  process.stderr.write(`npm start: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
