import { reasonOf } from '../../shared/core/errors.ts';
import type { CommandSpec } from './commands.ts';
import { type Configuration, configurationOf, GlobalOptions } from './configuration.ts';
import { CommandError, exitCodes, type Talk, type Terminal, talkOf, UsageError } from './terminal.ts';

/** What a command works with. */
export type Context = {
  readonly terminal: Terminal;
  readonly talk: Talk;
  readonly configuration: Configuration;
};

/** The operands and options of a command line; `global` has the options of every command too. */
export type Invocation = {
  readonly args: readonly string[];
  readonly options: unknown;
  readonly global: unknown;
};

/** Runs a command. Returns the exit code, where it is not 0. @throws UsageError, CommandError */
export type Action = (context: Context, invocation: Invocation) => Promise<number | undefined>;

/** Runs a command, and returns the exit code. Never rejects. */
export const runCommand = async (
  [spec, invocation]: readonly [CommandSpec, Invocation],
  terminal: Terminal,
): Promise<number> => {
  const global = GlobalOptions.parse(invocation.global);
  const talk = talkOf(terminal, global);
  const configuration = configurationOf(terminal, global, talk);
  try {
    if (global.target !== undefined && !spec.hasTarget) throw new UsageError(noTarget(spec));
    const action = await spec.load();
    return (await action({ terminal, talk, configuration }, invocation)) ?? exitCodes.succeeded;
  } catch (error) {
    if (terminal.interrupted.aborted) return exitCodes.interrupted;
    await report(error, { talk, configuration, isVerbose: global.verbose ?? false });
    if (error instanceof UsageError) return exitCodes.usage;
    return error instanceof CommandError ? error.exitCode : exitCodes.failed;
  }
};

/** Ignored, it would act on more than was meant. */
const noTarget = (spec: CommandSpec): string =>
  spec.arguments?.some(({ name }) => name === 'TARGET')
    ? `${spec.name} has no --target: name the target as an argument.`
    : `${spec.name} has no --target.`;

type Reporting = {
  readonly talk: Talk;
  readonly configuration: Configuration;
  readonly isVerbose: boolean;
};

/** An error as one sentence; with `-o json` or `yaml`, the problem that an API answered, on stderr too. */
const report = async (error: unknown, { talk, configuration, isVerbose }: Reporting): Promise<void> => {
  const format = await configuration.format().catch(() => 'table' as const);
  if (error instanceof CommandError && error.problem !== undefined && format !== 'table') {
    const { document } = await import('./output.ts');
    talk.say((await document(format, error.problem)).trimEnd());
    return;
  }
  talk.say(reasonOf(error));
  if (!isVerbose) return;
  for (let cause = causeOf(error); cause !== undefined; cause = causeOf(cause))
    talk.say(`  caused by: ${reasonOf(cause)}`);
};

const causeOf = (error: unknown): unknown => (error instanceof Error ? error.cause : undefined);
