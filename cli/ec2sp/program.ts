import { Argument, Command, CommanderError, Help, Option } from 'commander';
import packageJson from '../../package.json' with { type: 'json' };
import {
  type Argument as ArgumentSpec,
  type CommandSpec,
  commands,
  type GroupSpec,
  globalOptions,
} from './commands.ts';
import type { Invocation } from './context.ts';
import { exitCodes, type Terminal } from './terminal.ts';

const version = packageJson.version;

const description =
  'Watches and drives the EC2 service provider for DCM: its VMs, containers and clusters, its registration, its inventory and its deployment.';

const firstExamples = `Examples:
  $ npm start             in the folder of the repository; else give --url and --token-file
  $ ec2sp vm list
  $ ec2sp watch
`;

const afterHelp = `
Exit codes: 0 success, 1 failure, 2 wrong usage, 3 doctor found something wrong, 4 not found.
All commands: docs/cli.md. A completion for your shell: ec2sp completion bash|zsh|fish|powershell`;

/** Called with a command that is to run, after its arguments were parsed. */
type Run = (command: CommandSpec, invocation: Invocation) => void;

/** The parser of the command line. It writes to the terminal, and throws a CommanderError where it would end the process. */
const programOf = (run: Run, terminal?: Pick<Terminal, 'stdout' | 'stderr'>): Command => {
  const program = new Command('ec2sp');
  program
    .description(description)
    .version(version, '--version', 'Print the version')
    .helpOption('-h, --help', 'Print help')
    .exitOverride()
    .configureHelp({ formatHelp: commandsFirst })
    .addHelpText('before', firstExamples)
    .addHelpText('after', afterHelp);
  if (terminal)
    program.configureOutput({
      writeOut: (text) => void terminal.stdout.write(text),
      writeErr: (text) => void terminal.stderr.write(text),
    });
  for (const { flags, about, heading } of globalOptions)
    program.addOption(new Option(flags, about).helpGroup(`${heading}:`));
  program.showHelpAfterError('See ec2sp --help.');
  for (const one of commands) {
    if ('load' in one) add(program, 'ec2sp', one, run);
    else addGroup(program, one, run);
  }
  return program;
};

/** The help as the parser's library lays it out, but with the commands before the options. */
const commandsFirst = (command: Command, help: Help): string => {
  const paragraphs = Help.prototype.formatHelp.call(help, command, help).trimEnd().split('\n\n');
  const isList = (paragraph: string) => paragraph.startsWith('Commands:');
  const options = paragraphs.findIndex((paragraph) => paragraph.startsWith('Options:'));
  const others = (part: readonly string[]) => part.filter((paragraph) => !isList(paragraph));
  const [before, after] = [paragraphs.slice(0, options), paragraphs.slice(options)];
  return `${[...others(before), ...paragraphs.filter(isList), ...others(after)].join('\n\n')}\n`;
};

const addGroup = (program: Command, { name, summary, commands: members }: GroupSpec, run: Run): void => {
  const group = program.command(name).description(summary).helpCommand(false);
  const examples = members.flatMap((member) => member.examples.slice(0, 1));
  group.addHelpText('before', examplesOf(examples)).showHelpAfterError(`See ec2sp ${name} --help.`);
  for (const member of members) add(group, `ec2sp ${name}`, member, run);
};

const add = (parent: Command, path: string, spec: CommandSpec, run: Run): void => {
  const command = parent.command(spec.name, { hidden: spec.isHidden ?? false });
  command.summary(spec.summary).description([spec.summary, spec.about].filter(Boolean).join('. '));
  for (const one of spec.arguments ?? []) command.addArgument(argumentOf(one));
  for (const { flags, about, isRequired } of spec.options ?? [])
    command.addOption(new Option(flags, about).makeOptionMandatory(isRequired ?? false));
  const examples = examplesOf(spec.examples);
  command.addHelpText('before', examples);
  command.addHelpText('after', '\nOptions of every command: ec2sp --help');
  command.showHelpAfterError(`\n${examples}\nSee ${path} ${spec.name} --help.`);
  command.action(() =>
    run(spec, { args: command.args, options: command.opts(), global: command.optsWithGlobals() }),
  );
};

const argumentOf = ({ name, about, isOptional, isVariadic, choices }: ArgumentSpec): Argument => {
  const shown = `${name}${isVariadic ? '...' : ''}`;
  const argument = new Argument(isOptional ? `[${shown}]` : `<${shown}>`, about);
  return choices === undefined ? argument : argument.choices(choices);
};

const examplesOf = (examples: readonly string[]): string =>
  ['Examples:', ...examples.map((example) => `  $ ec2sp ${example}`), ''].join('\n');

/** Runs the program with arguments, and returns its exit code. Never rejects. */
export const runProgram = async (args: readonly string[], terminal: Terminal): Promise<number> => {
  let wanted: Parameters<Run> | undefined;
  const program = programOf((...called) => {
    wanted = called;
  }, terminal);
  try {
    program.parse(args, { from: 'user' });
  } catch (error) {
    return parserExitCode(error);
  }
  if (wanted === undefined) return exitCodes.usage;
  const { runCommand } = await import('./context.ts'); // what only a command needs: --help is quick
  return runCommand(wanted, terminal);
};

/** The parser has written its message already. */
const parserExitCode = (error: unknown): number => {
  if (!(error instanceof CommanderError)) throw error;
  return error.exitCode === 0 ? exitCodes.succeeded : exitCodes.usage;
};
