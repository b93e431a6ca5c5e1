import { spawn } from 'node:child_process';
import type { Context } from './context.ts';
import { CommandError } from './terminal.ts';

/** AWS's command line after it has ended. */
export type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

type Options = {
  /** Environment variables besides those of the terminal. */
  readonly env?: Readonly<Record<string, string>>;
  /** Ctrl-C does not end the call, so that its outcome is known. The call can then ask for nothing on the terminal. */
  readonly isKeptAtInterruption?: boolean;
};

/** Runs AWS's command line. @throws CommandError where it is not installed */
export const runAws = (
  { terminal }: Pick<Context, 'terminal'>,
  args: readonly string[],
  { env = {}, isKeptAtInterruption: detached = false }: Options = {},
): Promise<Ran> =>
  new Promise((done, reject) => {
    const child = spawn('aws', args, {
      env: { ...terminal.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached, // in a process group of its own, which the terminal does not signal
    });
    const written = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => {
      written.stdout += chunk;
    });
    child.stderr.on('data', (chunk) => {
      written.stderr += chunk;
    });
    child.once('error', (cause) =>
      reject(new CommandError("AWS's command line, aws, cannot be run: install it first.", { cause })),
    );
    child.once('close', (code) => done({ exitCode: code ?? 1, ...written }));
  });
