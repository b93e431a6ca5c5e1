import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from '../../../shared/domain/errors.ts';
import type { Part } from '../../part.ts';
import { startTiedProcess, type TiedProcess } from '../tied-process.ts';
import { findServiceProviderManager } from './find-service-provider-manager.ts';

type Options = {
  readonly natsUrl: string;
  /** Where its SQLite file is, begun anew; made if need be. */
  readonly folder: string;
  /** From one health check of a provider to the next, in seconds. @default 2; a deployment has 10 */
  readonly healthIntervalSeconds?: number;
  /** Hears every line that it writes. */
  readonly log: (line: string) => void;
  /** Hears of steps that take time. */
  readonly progress: (line: string) => void;
};

const patienceMs = 20_000;

/**
 * DCM's own service provider manager: registry, health checks, dispatch, and the rows that follow `dcm-status`, of which it makes the
 * stream. @throws UnavailableError where it cannot be built, or does not answer: then with its last words.
 */
export const startServiceProviderManager = async (options: Options): Promise<Part> => {
  const binary = await findServiceProviderManager({ log: options.progress });
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true });
  const said = listening(options.log);
  const child = await startTiedProcess({
    command: binary,
    args: [],
    cwd: options.folder,
    env: environmentOf(options),
    onLine: said.hear,
  });
  const url = await answering(child, said);
  return {
    url,
    [Symbol.asyncDispose]: async () => {
      child.signal('SIGTERM');
      const impatience = setTimeout(() => child.signal('SIGKILL'), 3_000);
      await child.ended;
      clearTimeout(impatience);
    },
  };
};

const environmentOf = ({ natsUrl, folder, healthIntervalSeconds = 2 }: Options): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  DB_TYPE: 'sqlite',
  DB_NAME: join(folder, 'dcm.db'),
  SVC_ADDRESS: '127.0.0.1:0',
  NATS_URL: natsUrl,
  HEALTH_CHECK_INTERVAL: `${healthIntervalSeconds}s`,
});

/** Its last words, and the address that it tells when it serves. */
const listening = (log: (line: string) => void) => {
  const lastWords: string[] = [];
  let address: string | undefined;
  return {
    hear: (line: string) => {
      lastWords.push(line);
      lastWords.splice(0, lastWords.length - 3);
      if (line.includes('Starting server')) address = /127\.0\.0\.1:\d+/.exec(line)?.[0];
      log(line);
    },
    address: () => address,
    lastWords: () => lastWords.join(' '),
  };
};

const answering = async (child: TiedProcess, said: ReturnType<typeof listening>): Promise<string> => {
  let goesOn = true;
  const stop = () => {
    goesOn = false;
  };
  const impatience = setTimeout(stop, patienceMs);
  child.ended.then(stop);
  try {
    while (goesOn) {
      const url = `http://${said.address()}`;
      if (said.address() !== undefined && (await isAnswering(url))) return url;
      await sleep(20);
    }
  } finally {
    clearTimeout(impatience);
  }
  child.signal('SIGKILL');
  throw new UnavailableError(`DCM's service provider manager did not start: ${said.lastWords()}`);
};

const isAnswering = (url: string): Promise<boolean> =>
  fetch(`${url}/api/v1alpha1/health`, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
