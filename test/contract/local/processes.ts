import { readdirSync, readFileSync } from 'node:fs';

/** Whether every thread of a process has stopped, which one that waits for the processor does some time after the signal. */
export const isStopped = (pid: number): boolean =>
  process.platform !== 'linux' ||
  readdirSync(`/proc/${pid}/task`).every((thread) =>
    /\) T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'utf8')),
  );

/** Whether a process is there and not merely waiting to be buried: in a container, often nobody buries orphans. */
export const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
};
