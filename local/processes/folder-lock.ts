import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FailedPreconditionError } from '../../shared/core/errors.ts';

/**
 * Makes this process the only user of a folder, by a file with its id. The file of a process that is gone is ignored.
 * @returns releases the folder, at once, so that it also works while the process exits
 * @throws FailedPreconditionError where another process uses the folder
 */
export const lockFolder = (folder: string): (() => void) => {
  const lock = join(folder, 'lock');
  const own = join(folder, `lock.${process.pid}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(own, `${process.pid}`);
  try {
    const pid = ownerOf(lock);
    if (pid !== undefined && isRunning(pid)) throw isUsed(pid, lock);
    if (pid !== undefined) rmSync(lock, { force: true });
    linkSync(own, lock); // fails where the file exists, and never shows one that is not written yet
  } catch (error) {
    throw error instanceof Error && 'code' in error && error.code === 'EEXIST'
      ? isUsed(ownerOf(lock), lock)
      : error;
  } finally {
    rmSync(own);
  }
  return () => rmSync(lock, { force: true });
};

const isUsed = (pid: number | undefined, lock: string) =>
  new FailedPreconditionError(
    `another npm start (process ${pid}) runs in this folder: end it first, or delete ${lock} where that process is another program`,
  );

/** The process whose id is in the file; undefined where there is no file. */
const ownerOf = (lock: string): number | undefined => {
  try {
    return Number(readFileSync(lock, 'utf8'));
  } catch {
    return undefined;
  }
};

/** This process's own id, in a file of another run, is that of a process that is gone: a container gives out the same ids again. */
const isRunning = (pid: number): boolean => {
  if (!(pid > 0) || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'; // of another user
  }
};
