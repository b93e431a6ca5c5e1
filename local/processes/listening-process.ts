import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { Part } from './loopback.ts';
import { startTiedProcess, type TiedProcess } from './tied-process.ts';

type Options = {
  /** For errors, such as "DCM's environment agent". */
  readonly what: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** All of its environment: nothing of ours is inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Part of the line in which it names the address, on 127.0.0.1, that it listens on. */
  readonly announcement: string;
  /** Below its address, answered with success once it is ready. */
  readonly healthPath: string;
  readonly log: (line: string) => void;
};

/** `ended` settles when the process has ended, wanted or not. */
export type ListeningProcess = Part & Pick<TiedProcess, 'ended'>;

const timeoutMs = 20_000;
const killAfterMs = 3_000;

/** Starts a server that names its address once it listens. @throws UnavailableError with its last lines where it does not answer in time */
export const startListeningProcess = async (options: Options): Promise<ListeningProcess> => {
  const heard = listen(options);
  const { command, args = [], cwd, env } = options;
  const child = await startTiedProcess({ command, args, env, onLine: heard.line, ...(cwd && { cwd }) });
  const url = await answering(child, heard, options);
  return {
    url,
    ended: child.ended,
    [Symbol.asyncDispose]: async () => {
      child.signal('SIGTERM');
      const timer = setTimeout(() => child.signal('SIGKILL'), killAfterMs);
      await child.ended;
      clearTimeout(timer);
    },
  };
};

const listen = ({ announcement, log }: Pick<Options, 'announcement' | 'log'>) => {
  const lastLines: string[] = [];
  let address: string | undefined;
  return {
    line: (line: string) => {
      lastLines.push(line);
      lastLines.splice(0, lastLines.length - 3);
      if (line.includes(announcement)) address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
      log(line);
    },
    address: () => address,
    lastLines: () => lastLines.join(' '),
  };
};

const answering = async (
  child: TiedProcess,
  heard: ReturnType<typeof listen>,
  { what, healthPath }: Options,
): Promise<string> => {
  let isOver = false;
  const stop = () => {
    isOver = true;
  };
  const timer = setTimeout(stop, timeoutMs);
  child.ended.then(stop);
  try {
    while (!isOver) {
      const url = `http://${heard.address()}`;
      if (heard.address() !== undefined && (await isAnswering(`${url}${healthPath}`))) return url;
      await sleep(20);
    }
  } finally {
    clearTimeout(timer);
  }
  child.signal('SIGKILL');
  throw new UnavailableError(`${what} did not start: ${heard.lastLines()}`);
};

const isAnswering = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
