import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { LocalServer } from './loopback.ts';
import { startTiedProcess, type TiedProcess } from './tied-process.ts';

type Options = {
  /** Name of the program in errors, such as "DCM's environment agent". */
  readonly what: string;
  readonly command: string;
  readonly args?: readonly string[];
  readonly cwd?: string;
  /** The whole environment; this process's variables are not inherited. */
  readonly env: NodeJS.ProcessEnv;
  /** Part of the log line that contains the address, on 127.0.0.1, that it listens on. */
  readonly announcement: string;
  /** Path that is answered with success once the program is ready. */
  readonly healthPath: string;
  readonly log: (line: string) => void;
};

/** `ended` settles when the process has ended, for whatever reason. */
export type ListeningProcess = LocalServer & Pick<TiedProcess, 'ended'>;

const timeoutMs = 20_000;
const killAfterMs = 3_000;

/** Starts a server that logs its address once it listens. @throws UnavailableError with its last lines where it does not answer in time */
export const startListeningProcess = async (options: Options): Promise<ListeningProcess> => {
  const output = readOutput(options);
  const { command, args = [], cwd, env } = options;
  const child = await startTiedProcess({ command, args, env, onLine: output.line, ...(cwd && { cwd }) });
  const url = await waitUntilReady(child, output, options);
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

const readOutput = ({ announcement, log }: Pick<Options, 'announcement' | 'log'>) => {
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

const waitUntilReady = async (
  child: TiedProcess,
  output: ReturnType<typeof readOutput>,
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
      const url = `http://${output.address()}`;
      if (output.address() !== undefined && (await isAnswering(`${url}${healthPath}`))) return url;
      await sleep(20);
    }
  } finally {
    clearTimeout(timer);
  }
  child.signal('SIGKILL');
  throw new UnavailableError(`${what} did not start: ${output.lastLines()}`);
};

const isAnswering = (url: string): Promise<boolean> =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
