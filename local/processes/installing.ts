import { access, constants, readlink, rm, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTiedProcess } from './tied-process.ts';

/** Whether `path` is a file that can be executed. */
export const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** The path of a command on the environment's PATH. */
export const findOnPath = async (
  command: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> => {
  for (const folder of (environment.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, command);
    if (await executable(path)) return path;
  }
  return undefined;
};

type RunOptions = {
  readonly cwd: string;
  /** The whole environment; this process's variables are not inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Called with each line of output. */
  readonly log: (line: string) => void;
};

/** Runs a command. @returns whether it succeeded */
export const run = async (
  [command, ...args]: readonly [string, ...string[]],
  { log, ...options }: RunOptions,
): Promise<boolean> => {
  const child = await startTiedProcess({ command, args, ...options, onLine: log });
  const { code, signal } = await child.ended;
  if (code !== 0) log(`${[command, ...args].join(' ')} failed: ${signal ?? `exit status ${code}`}`);
  return code === 0;
};

/**
 * Runs the work while no other process runs it. The lock is a symbolic link whose target is the id of the process that holds it: it is
 * created atomically, and the lock of a process that has ended is removed. Two processes that remove such a lock at the same moment may
 * both continue.
 */
export const oneAtATime = async <Result>(lock: string, work: () => Promise<Result>): Promise<Result> => {
  while (!(await acquire(lock))) {
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    else await sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
};

const acquire = async (lock: string): Promise<boolean> => {
  try {
    await symlink(String(process.pid), lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
};

const isAbandoned = async (lock: string): Promise<boolean> => {
  const pid = await readlink(lock).catch(() => undefined);
  if (pid === undefined) return false; // just released
  try {
    return !process.kill(Number(pid), 0);
  } catch {
    return true;
  }
};
