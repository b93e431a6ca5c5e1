import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findNatsServer } from '../local/emulators/nats-server/find-nats-server.ts';
import { startTiedProcess } from '../local/processes/tied-process.ts';
import type { Figures } from './figures.ts';
import { median } from './measure.ts';
import { familyOf, stillRunning } from './processes.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const turns = 3;
const timeoutMs = 60_000;
const pollMs = 50;

/** How long `npm start` takes until every part answers, where nats-server is there; and that nothing of it outlives an interrupt. */
export const start = async (): Promise<Figures> => {
  await findNatsServer({ log: () => {} });
  const times: number[] = [];
  for (let turn = 0; turn < turns; turn++) times.push(await readyMs());
  return { start_ready_ms: median(times) };
};

const readyMs = async (): Promise<number> => {
  const startedAt = performance.now();
  const { pid, ready } = await npmStart();
  try {
    await ready;
    const took = performance.now() - startedAt;
    const family = await familyOf(pid);
    process.kill(-pid, 'SIGINT'); // npm and what it runs, as Ctrl-C does
    await allGone(family);
    return took;
  } catch (error) {
    if ((await stillRunning([pid])).length > 0) process.kill(-pid, 'SIGKILL');
    throw error;
  }
};

/** `ready` rejects where that line does not come. */
const npmStart = async () => {
  const lines: string[] = [];
  let onReady = () => {};
  const ready = new Promise<void>((resolve) => {
    onReady = resolve;
  });
  const onLine = (line: string) => {
    lines.push(line);
    if (/\bready\b/.test(line)) onReady();
  };
  const { pid, ended } = await startTiedProcess({
    command: 'npm',
    args: ['start'],
    cwd: root,
    env: process.env,
    onLine,
  });
  const timeout = sleep(timeoutMs, undefined, { ref: false });
  const failed = Promise.race([ended, timeout]).then(() => {
    throw new Error(`npm start was not ready:\n${lines.join('\n')}`);
  });
  return { pid, ready: Promise.race([ready, failed]) };
};

const allGone = async (family: readonly number[]): Promise<void> => {
  for (const deadline = Date.now() + timeoutMs; Date.now() < deadline; await sleep(pollMs))
    if ((await stillRunning(family)).length === 0) return;
  throw new Error(`npm start left processes behind: ${(await stillRunning(family)).join(', ')}.`);
};
