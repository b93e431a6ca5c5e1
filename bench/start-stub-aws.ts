import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import type { Part } from '../local/part.ts';

/** Starts stub-aws.ts. */
export const startStubAws = async (): Promise<Part> => {
  const child = fork(fileURLToPath(new URL('./stub-aws.ts', import.meta.url)));
  const ended = once(child, 'exit');
  const early = ended.then(([code]) => {
    throw new Error(`The stub of AWS ended with exit status ${code}.`);
  });
  const [url] = await Promise.race([once(child, 'message'), early]);
  return {
    url: z.url().parse(url),
    [Symbol.asyncDispose]: async () => {
      child.disconnect();
      await ended;
    },
  };
};
