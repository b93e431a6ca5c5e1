import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import picocolors from 'picocolors';

type Input = Readable & { readonly isTTY?: boolean | undefined };
type Output = Writable & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
};

/** Where the program runs, as values, so that tests run it in their own process. */
export type Terminal = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The working folder. */
  readonly folder: string;
  readonly home: string;
  /** The folder of the repository or of the npm package that the program is part of. */
  readonly programFolder: string;
  /** Aborted by Ctrl-C. */
  readonly interrupted: AbortSignal;
  /** From now on Ctrl-C lets the command clean up for as long as that takes, not for a second. The next Ctrl-C still ends it at once. */
  readonly cleanUpTakesLong: () => void;
};

/** A command was used wrongly: exit code 2. */
export class UsageError extends Error {
  override name = 'UsageError' as const;
}

/** A command failed. The message is one sentence that says what failed and what to do. */
export class CommandError extends Error {
  override name = 'CommandError' as const;
  readonly exitCode: number;
  /** What an API answered, for output that programs read. */
  readonly problem: object | undefined;

  constructor(
    message: string,
    {
      exitCode = exitCodes.failed,
      problem,
      cause,
    }: { readonly exitCode?: number; readonly problem?: object | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.exitCode = exitCode;
    this.problem = problem;
  }
}

/** Documented in docs/cli.md. */
export const exitCodes = {
  succeeded: 0,
  failed: 1,
  usage: 2,
  /** `doctor` found something wrong. */
  unhealthy: 3,
  notFound: 4,
  /** As shells have it: 128 and the number of SIGINT. */
  interrupted: 130,
} as const;

export type Talk = ReturnType<typeof talkOf>;

/** How long a call may take before its progress is shown. */
const quietMs = 50;

/** What a command says beside its data, all of it on stderr; data is written by `print`, on stdout. */
export const talkOf = (terminal: Terminal, flags: { readonly color: boolean; readonly input: boolean }) => {
  const { stdin, stdout, stderr, env } = terminal;
  const mayAnimate = env.TERM !== 'dumb' && flags.color && !env.NO_COLOR;
  const colorsOf = (out: Output) => picocolors.createColors(mayAnimate && out.isTTY === true);
  const say = (text: string) => void stderr.write(`${text}\n`);
  return {
    print: (text: string) => void stdout.write(text),
    say,
    colors: colorsOf(stdout),
    // a terminal without a size, such as that of script, shows nothing of a table that is drawn again
    isLive: mayAnimate && stdout.isTTY === true && stdout.columns !== 0 && stdout.rows !== 0,
    mayAsk: flags.input && stdin.isTTY === true && stderr.isTTY === true,

    /** Shows that something is being waited for, on a terminal only. `update` and the end of it need no terminal. */
    async during<T>(text: string, run: (update: (text: string) => void) => Promise<T>): Promise<T> {
      if (!mayAnimate || stderr.isTTY !== true) return run(() => undefined);
      const { default: spinnerOf } = await import('yocto-spinner');
      const spinner = spinnerOf({ text, stream: stderr, handleSignals: false });
      const timer = setTimeout(() => spinner.start(), quietMs);
      const stop = () => void spinner.stop();
      terminal.interrupted.addEventListener('abort', stop);
      try {
        return await run((next) => {
          spinner.text = next;
        });
      } finally {
        clearTimeout(timer);
        terminal.interrupted.removeEventListener('abort', stop);
        stop();
      }
    },

    /** Asks on a terminal, and returns the answer. @throws the reason of the interruption at Ctrl-C; CommandError at Ctrl-D */
    async ask(question: string): Promise<string> {
      const { createInterface } = await import('node:readline/promises');
      const lines = createInterface({ input: stdin, output: stderr, terminal: false }); // else Ctrl-C would be a key
      try {
        const ended = once(lines, 'close').then(() => {
          throw new CommandError('The input ended without an answer.');
        });
        const answered = lines.question(question, { signal: terminal.interrupted });
        return (await Promise.race([answered, ended])).trim();
      } finally {
        lines.close();
      }
    },
  };
};

/** All that standard input has. */
export const readInput = async (stdin: Readable): Promise<string> => {
  const chunks: Buffer[] = [];
  for await (const chunk of stdin) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks).toString();
};
