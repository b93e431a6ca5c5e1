import { readFile, rm } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TiedProcess } from '../processes/tied-process.ts';

const timeoutMs = 10_000;

/**
 * The port on which a nats-server takes connections, by the file that it writes when it does.
 * `undefined` where it ended, or has no port after 10 s.
 */
export const boundPort = async (server: TiedProcess, portsFile: string): Promise<number | undefined> => {
  let goesOn = true;
  const stop = () => {
    goesOn = false;
  };
  const impatience = setTimeout(stop, timeoutMs);
  server.ended.then(stop);
  try {
    while (goesOn) {
      const ports = await readFile(portsFile, 'utf8').catch(() => '');
      const port = /"nats":\["[^"]*:(\d+)"/.exec(ports)?.[1];
      if (port !== undefined) return Number(port);
      await sleep(5);
    }
    return undefined;
  } finally {
    clearTimeout(impatience);
    await rm(portsFile, { force: true });
  }
};
