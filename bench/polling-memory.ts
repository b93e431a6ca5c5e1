import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { startResourceTable } from './polling-table.ts';

/** Peak heap, in bytes, of a new process that lists a region of so many VMs as often as it takes to look at so many pages. */
export const peakHeap = async (vms: number, pages: number): Promise<number> => {
  await using dynamoDb = await startResourceTable();
  const file = fileURLToPath(new URL('./polling-process.ts', import.meta.url));
  const child = fork(file, [dynamoDb.url, String(vms), String(pages)], {
    execArgv: [...process.execArgv, '--expose-gc'],
  });
  const ended = once(child, 'exit');
  const early = ended.then(([code]) => {
    throw new Error(`The process that lists ${vms} VMs ended with exit status ${code}.`);
  });
  const [bytes] = await Promise.race([once(child, 'message'), early]);
  await ended.catch(() => {});
  return z.number().parse(bytes);
};
