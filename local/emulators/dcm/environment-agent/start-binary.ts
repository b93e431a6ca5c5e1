import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type ListeningProcess, startListeningProcess } from '../../../processes/listening-process.ts';

type Options = {
  /** Path of the program, built by the user. */
  readonly path: string;
  readonly name: string;
  readonly natsUrl: string;
  readonly controlPlaneUrl: string;
  /** Folder of its providers' file; created where it is missing, never removed. */
  readonly folder: string;
  /** Additional variables, such as `AGENT_EMBEDDED_SPS`. */
  readonly environment?: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
};

/**
 * Starts DCM's own environment agent on 127.0.0.1, without embedded providers.
 * @throws UnavailableError with its last lines where it does not start
 * @see https://github.com/dcm-project/environment-agent (internal/config/config.go)
 */
export const startAgentBinary = async (options: Options): Promise<ListeningProcess> => {
  const { path, name, natsUrl, controlPlaneUrl, folder, environment, log } = options;
  await mkdir(folder, { recursive: true });
  return startListeningProcess({
    ...{ what: `the environment agent ${path}`, command: path, log },
    ...{ announcement: 'server listening', healthPath: '/api/v1alpha1/health' },
    env: {
      PATH: process.env.PATH,
      ...{ AGENT_NAME: name, AGENT_ENVIRONMENT: 'laptop', AGENT_COST: 'low', AGENT_EMBEDDED_SPS: '' },
      ...{ AGENT_SERVER_ADDRESS: '127.0.0.1:0', AGENT_SP_PERSISTENCE_PATH: join(folder, 'registrations') },
      ...{ AGENT_MESSAGING_URL: natsUrl, DCM_REGISTRATION_URL: controlPlaneUrl },
      ...environment,
    },
  });
};
