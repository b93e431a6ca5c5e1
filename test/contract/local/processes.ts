import { readFileSync } from 'node:fs';

/** Whether a process is there and not merely waiting to be buried: in a container, often nobody buries orphans. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
