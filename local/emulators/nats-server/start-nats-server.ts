import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LocalServer } from '../../processes/loopback.ts';
import { type Ending, startTiedProcess, type TiedProcess } from '../../processes/tied-process.ts';
import { findNatsServer } from './find-nats-server.ts';

/** The real nats-server with JetStream, with methods that let tests cause outages. */
export type NatsServer = LocalServer & {
  readonly port: number;
  /** Of the current process, or the last one. */
  readonly pid: number;
  /** Begins an outage: stops the server and keeps its store. */
  stop(): Promise<void>;
  /** Ends the outage: starts the server with the same port and store. No effect while it runs. */
  start(): Promise<void>;
  /** Suspends the server: connections stay open, and nothing is answered. */
  freeze(): void;
  thaw(): void;
};

type Options = {
  /** @default any free port */
  readonly port?: number;
  /** Folder of its streams; created where it is missing, never removed. */
  readonly storeDir: string;
  /** @default the result of findNatsServer */
  readonly binary?: string;
  /** Content of its configuration file, such as `tls` or `authorization` blocks. */
  readonly config?: string;
  readonly log?: (line: string) => void;
  /** Called when the server ends otherwise than by `stop` or its disposal. */
  readonly onUnexpectedEnd?: (ending: Ending) => void;
};

/** @throws where there is no nats-server, or with its last lines where it does not start. */
export const startNatsServer = async (options: Options): Promise<NatsServer> => {
  const { storeDir, log = () => {} } = options;
  const binary = options.binary ?? (await findNatsServer({ log }));
  await mkdir(storeDir, { recursive: true });
  await writeFile(configFileIn(storeDir), options.config ?? '');

  const launched = await launch({ binary, storeDir, port: options.port ?? -1, log });
  const { port } = launched;
  let server: TiedProcess | undefined;
  let stopped: TiedProcess | undefined;
  let pid = 0;
  const setServer = (setServered: TiedProcess) => {
    ({ pid } = setServered);
    server = setServered;
    setServered.ended.then((ending) => {
      server = undefined;
      if (stopped !== setServered) options.onUnexpectedEnd?.(ending);
    });
  };
  setServer(launched.server);

  const stop = async () => {
    stopped = server;
    server?.signal('SIGTERM');
    server?.signal('SIGCONT'); // it may be frozen
    const timer = setTimeout(() => server?.signal('SIGKILL'), 3000);
    await server?.ended;
    clearTimeout(timer);
  };
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    get pid() {
      return pid;
    },
    stop,
    start: async () => {
      if (server === undefined) setServer((await launch({ binary, storeDir, port, log })).server);
    },
    freeze: () => server?.signal('SIGSTOP'),
    thaw: () => server?.signal('SIGCONT'),
    [Symbol.asyncDispose]: stop,
  };
};

const configFileIn = (storeDir: string) => join(storeDir, 'nats-server.conf');

const launch = async ({
  binary,
  storeDir,
  port,
  log,
}: Required<Omit<Options, 'config' | 'onUnexpectedEnd'>>) => {
  const lastLines: string[] = [];
  const files = ['-c', configFileIn(storeDir), '-sd', storeDir, '--ports_file_dir', storeDir];
  const server = await startTiedProcess({
    command: binary,
    args: ['-a', '127.0.0.1', '-p', `${port}`, '-js', ...files],
    env: { PATH: process.env.PATH },
    onLine: (line) => {
      lastLines.push(line);
      lastLines.splice(0, lastLines.length - 3);
      log(line);
    },
  });
  const bound = await boundPort(server, join(storeDir, `${basename(binary)}_${server.pid}.ports`));
  if (bound !== undefined) return { server, port: bound };
  server.signal('SIGKILL');
  throw new Error(`${binary} did not start: ${lastLines.join(' ')}`);
};

const timeoutMs = 10_000;

/**
 * The port on which a nats-server accepts connections, read from its ports file. `undefined` where it ended, or has no port after 10 s.
 */
const boundPort = async (server: TiedProcess, portsFile: string): Promise<number | undefined> => {
  let isWaiting = true;
  const stop = () => {
    isWaiting = false;
  };
  const timer = setTimeout(stop, timeoutMs);
  server.ended.then(stop);
  try {
    while (isWaiting) {
      const ports = await readFile(portsFile, 'utf8').catch(() => '');
      const port = /"nats":\["[^"]*:(\d+)"/.exec(ports)?.[1];
      if (port !== undefined) return Number(port);
      await sleep(5);
    }
    return undefined;
  } finally {
    clearTimeout(timer);
    await rm(portsFile, { force: true });
  }
};
