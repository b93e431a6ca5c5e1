import { access, constants, readlink, rm, symlink } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTiedProcess } from './tied-process.ts';

/** Whether we may run what is at `path`. */
export const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Where a command is that the environment's PATH knows. */
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

type Surroundings = {
  readonly cwd: string;
  /** All of its environment: nothing of ours is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Hears what it writes. */
  readonly log: (line: string) => void;
};

/** Whether a command succeeded. */
export const run = async (
  [command, ...args]: readonly [string, ...string[]],
  { log, ...surroundings }: Surroundings,
): Promise<boolean> => {
  const child = await startTiedProcess({ command, args, ...surroundings, onLine: log });
  const { code, signal } = await child.ended;
  if (code !== 0) log(`${[command, ...args].join(' ')} failed: ${signal ?? `exit status ${code}`}`);
  return code === 0;
};

/**
 * Does the work while no other process does. The lock is a symbolic link to the number of the process that holds it: one
 * system call makes it, and who died with it is recognised. Two who find it abandoned at once may both go on.
 */
export const oneAtATime = async <Result>(lock: string, work: () => Promise<Result>): Promise<Result> => {
  while (!(await taken(lock))) {
    if (await abandoned(lock)) await rm(lock, { force: true });
    else await sleep(100);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
};

const taken = async (lock: string): Promise<boolean> => {
  try {
    await symlink(String(process.pid), lock);
    return true;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
};

const abandoned = async (lock: string): Promise<boolean> => {
  const pid = await readlink(lock).catch(() => undefined);
  if (pid === undefined) return false; // just released
  try {
    return !process.kill(Number(pid), 0);
  } catch {
    return true;
  }
};
