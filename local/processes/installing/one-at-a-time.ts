import { readlink, rm, symlink } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

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
