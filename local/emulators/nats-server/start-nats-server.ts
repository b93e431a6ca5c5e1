import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Part } from '../../processes/loopback.ts';
import { startTiedProcess, type TiedProcess } from '../../processes/tied-process.ts';
import { findNatsServer } from './find-nats-server.ts';

/** The real nats-server with JetStream, and what a test needs to hurt it. */
export type NatsServer = Part & {
  readonly port: number;
  /** Of the process that runs, or ran last. */
  readonly pid: number;
  /** An outage: ends the server in good order. What it stored stays. */
  stop(): Promise<void>;
  /** Ends the outage: the same port, the same store. Without effect while it runs. */
  start(): Promise<void>;
  /** The server stays connected and answers nothing. */
  freeze(): void;
  thaw(): void;
};

type Options = {
  /** @default any free one */
  readonly port?: number;
  /** Where it keeps its streams; made if need be, and never removed. */
  readonly storeDir: string;
  /** @default what findNatsServer finds */
  readonly binary?: string;
  /** More of its configuration file, such as `tls` or `authorization` blocks. */
  readonly config?: string;
  readonly log?: (line: string) => void;
};

/** @throws where there is no nats-server, or where it does not start: then with its last words. */
export const startNatsServer = async (options: Options): Promise<NatsServer> => {
  const { storeDir, log = () => {} } = options;
  const binary = options.binary ?? (await findNatsServer({ log }));
  await mkdir(storeDir, { recursive: true });
  await writeFile(configFileIn(storeDir), options.config ?? '');

  const launched = await launch({ binary, storeDir, port: options.port ?? -1, log });
  const { port } = launched;
  let server: TiedProcess | undefined;
  let pid = 0;
  const adopt = (adopted: TiedProcess) => {
    ({ pid } = adopted);
    server = adopted;
    adopted.ended.then(() => {
      server = undefined;
    });
  };
  adopt(launched.server);

  const stop = async () => {
    server?.signal('SIGTERM');
    server?.signal('SIGCONT'); // it may be frozen
    const impatience = setTimeout(() => server?.signal('SIGKILL'), 3000);
    await server?.ended;
    clearTimeout(impatience);
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return pid;
    },
    stop,
    start: async () => {
      if (server === undefined) adopt((await launch({ binary, storeDir, port, log })).server);
    },
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
};

const configFileIn = (storeDir: string) => join(storeDir, 'nats-server.conf');

const launch = async ({ binary, storeDir, port, log }: Required<Omit<Options, 'config'>>) => {
  const lastWords: string[] = [];
  const files = ['-c', configFileIn(storeDir), '-sd', storeDir, '--ports_file_dir', storeDir];
  const server = await startTiedProcess({
    command: binary,
    args: ['-a', '127.0.0.1', '-p', `${port}`, '-js', ...files],
    env: { PATH: process.env.PATH },
    onLine: (line) => {
      lastWords.push(line);
      lastWords.splice(0, lastWords.length - 3);
      log(line);
    },
  });
  const bound = await boundPort(server, join(storeDir, `${basename(binary)}_${server.pid}.ports`));
  if (bound !== undefined) return { server, port: bound };
  server.signal('SIGKILL');
  throw new Error(`${binary} did not start: ${lastWords.join(' ')}`);
};

const timeoutMs = 10_000;

/**
 * The port on which a nats-server takes connections, by the file that it writes when it does.
 * `undefined` where it ended, or has no port after 10 s.
 */
const boundPort = async (server: TiedProcess, portsFile: string): Promise<number | undefined> => {
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
