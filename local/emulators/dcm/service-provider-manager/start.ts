import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type ListeningProcess, startListeningProcess } from '../../../processes/listening-process.ts';
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

/**
 * DCM's own service provider manager: registry, health checks, dispatch, and the rows that follow `dcm-status`, of which it makes the
 * stream. @throws UnavailableError where it cannot be built, or does not answer: then with its last words.
 */
export const startServiceProviderManager = async (options: Options): Promise<ListeningProcess> => {
  const binary = await findServiceProviderManager({ log: options.progress });
  await rm(options.folder, { recursive: true, force: true });
  await mkdir(options.folder, { recursive: true });
  return startListeningProcess({
    ...{ what: "DCM's service provider manager", command: binary, cwd: options.folder, log: options.log },
    ...{ announcement: 'Starting server', healthPath: '/api/v1alpha1/health' },
    env: environmentOf(options),
  });
};

const environmentOf = ({ natsUrl, folder, healthIntervalSeconds = 2 }: Options): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH,
  DB_TYPE: 'sqlite',
  DB_NAME: join(folder, 'dcm.db'),
  SVC_ADDRESS: '127.0.0.1:0',
  NATS_URL: natsUrl,
  HEALTH_CHECK_INTERVAL: `${healthIntervalSeconds}s`,
});
