import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** All processes that run: each one's number, and its parent's. One that waits to be buried does not run. */
const processes = async (): Promise<ReadonlyMap<number, number>> => {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,stat=']);
  const fields = stdout.split('\n').map((line) => line.trim().split(/\s+/));
  return new Map(
    fields.flatMap(([pid, parent, state]) => (state?.startsWith('Z') ? [] : [[Number(pid), Number(parent)]])),
  );
};

/** A process, and all that it and its children have started and that still have their parent. */
export const familyOf = async (pid: number): Promise<number[]> => {
  const parents = await processes();
  const family = new Set([pid]);
  for (const member of family) {
    for (const [child, parent] of parents) if (parent === member) family.add(child);
  }
  return [...family];
};

/** Those of them that still run. */
export const stillRunning = async (pids: readonly number[]): Promise<number[]> => {
  const running = await processes();
  return pids.filter((pid) => running.has(pid));
};
