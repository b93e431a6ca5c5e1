import { createWriteStream, type WriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command, Option } from 'commander';
import { reasonOf, SettingsError } from '../shared/core/errors.ts';
import { newsOf, terminal } from './console.ts';
import { dcmDemo, demo } from './demo/demo.ts';
import { agentName, type StackOptions } from './stack/options.ts';
import { startStack } from './stack/start-stack.ts';

const folder = fileURLToPath(new URL('../.local', import.meta.url));

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true'; // a newcomer with Node 20 cannot act on it

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
  verbose?: true;
};

const command = new Command('npm start --')
  .description('Runs the EC2 service provider on this machine, against stand-ins for AWS and DCM.')
  .option('--demo', 'play a story of a few VMs, check it, and end')
  .option('--nats-url <url>', 'use a NATS server that runs already')
  .option(
    '--ec2-endpoint <url>',
    'use another EC2: the URL of its endpoint, or "aws" for EC2 itself with your credentials',
  )
  .addOption(
    new Option('--generation <which>', 'play the DCM before environment agents, which calls providers itself')
      .choices(['today', 'old'])
      .default('today'),
  )
  .addOption(
    new Option('--agent-bin <path>', "use DCM's environment agent, a program that you have built")
      .env('DCM_AGENT_BIN')
      .conflicts(['agentUrl', 'controlPlaneUrl', 'controlPlane']),
  )
  .addOption(
    new Option(
      '--agent-url <url>',
      'register at an environment agent that runs already; needs --nats-url',
    ).conflicts(['controlPlaneUrl', 'controlPlane']),
  )
  .option('--agent-topic <name>', "that agent's AGENT_TOPIC_NAME, else its AGENT_NAME", agentName)
  .option('--control-plane-url <url>', 'register at an older control plane that runs already')
  .addOption(
    new Option(
      '--control-plane <which>',
      "use DCM's own service provider manager, of the older generation, built with Go the first time",
    )
      .choices(['dcm'])
      .conflicts('controlPlaneUrl'),
  )
  .option('--strict', "skip statuses of VMs that were not created through DCM, as today's control plane does")
  .option('--verbose', 'show what every part says (it is in .local/logs in any case)');

const run = async (flags: Flags): Promise<void> => {
  const show = terminal(process.stdout);
  const logs = await openLogs();
  const options: StackOptions = {
    ...flags,
    folder,
    log: (part, line) => {
      logs.write(part, line);
      if (flags.verbose) show.progress(part, line);
    },
    progress: show.progress,
  };
  try {
    if (flags.demo) process.exitCode = (await play(options, show)).length > 0 ? 1 : 0;
    else await watch(options, show);
  } finally {
    logs.end();
  }
};

/** The long story looks into the stand-in; of another control plane there is only its API, and of an agent not even that. */
const play = (options: StackOptions, show: ReturnType<typeof terminal>): Promise<string[]> => {
  if (options.agentUrl !== undefined)
    throw new SettingsError('--demo needs the control plane behind the agent: leave --agent-url out');
  return options.controlPlane === undefined && options.controlPlaneUrl === undefined
    ? demo(options, show)
    : dcmDemo(options, show);
};

/** Runs until Ctrl-C, and shows each status that reaches DCM. */
const watch = async (options: StackOptions, show: ReturnType<typeof terminal>): Promise<void> => {
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  await using stack = await startStack(options);
  show.ready(stack.endpoints);
  show.invitation(stack.endpoints);
  const isNewerObservation = newsOf();
  stack.controlPlane?.onConsumed((consumed) => {
    if (isNewerObservation(consumed)) show.followed(consumed);
  });
  await interrupted;
  show.line('stopping');
};

/** One file a part in .local/logs, begun anew at each start. */
const openLogs = async () => {
  const logs = join(folder, 'logs');
  await mkdir(logs, { recursive: true });
  const files = new Map<string, WriteStream>();
  return {
    write(part: string, line: string) {
      const file = files.get(part) ?? createWriteStream(join(logs, `${part}.log`));
      files.set(part, file);
      file.write(`${line}\n`);
    },
    end() {
      for (const file of files.values()) file.end();
    },
  };
};

try {
  await run(command.parse().opts<Flags>());
} catch (error) {
  process.stderr.write(`npm start: ${reasonOf(error)}\n`);
  process.exitCode = 1;
}
