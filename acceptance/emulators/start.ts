import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startListeningProcess } from '../../local/processes/listening-process.ts';
import { type LocalServer, listen } from '../../local/processes/loopback.ts';
import { account, homeRegion } from '../names.ts';

type Options = {
  /** The Python that has the emulators. */
  readonly python: string;
  readonly log: (line: string) => void;
};

type MinistackOptions = Options & {
  /** As it is published, or with our repairs (run_ministack.py), which the deployment needs. */
  readonly as: 'published' | 'repaired';
  readonly enforcesIam: boolean;
};

const repaired = fileURLToPath(new URL('run_ministack.py', import.meta.url));

/** ministack, on 127.0.0.1 only. Its functions are child processes. */
export const startMinistack = async ({
  as,
  enforcesIam,
  ...options
}: MinistackOptions): Promise<LocalServer> => {
  const port = await freePort();
  return startPython(options, {
    what: 'ministack',
    args: as === 'repaired' ? [repaired] : ['-m', 'ministack'],
    healthPath: '/_ministack/health',
    environment: {
      BIND_HOST: '127.0.0.1',
      GATEWAY_PORT: String(port),
      MINISTACK_ACCOUNT_ID: account,
      MINISTACK_REGION: homeRegion,
      AUTH: String(enforcesIam),
      IOT_MTLS_ENABLED: 'false', // it would listen on a port of its own
      AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', // about this machine's Node, not Lambda's
    },
  });
};

/** moto's server, which checks images and instance types as EC2 does. */
export const startMoto = async (options: Options): Promise<LocalServer> => {
  const port = await freePort();
  return startPython(options, {
    what: 'moto',
    args: ['-m', 'moto.server', '-H', '127.0.0.1', '-p', String(port)],
    healthPath: '/moto-api/data.json',
    environment: {
      MOTO_ENABLE_AMI_VALIDATION: 'true',
      MOTO_EC2_ENABLE_INSTANCE_TYPE_VALIDATION: 'true',
      MOTO_ACCOUNT_ID: account,
    },
  });
};

type Server = {
  readonly what: string;
  readonly args: readonly string[];
  readonly healthPath: string;
  readonly environment: Readonly<Record<string, string>>;
};

/** In a folder of its own, which is removed with it. */
const startPython = async (
  { python, log }: Options,
  { environment, ...server }: Server,
): Promise<LocalServer> => {
  const folder = await mkdtemp(join(tmpdir(), 'acceptance-'));
  // ministack runs its functions by CommonJS scripts in this folder; a package.json further up may say that they are ES modules
  await writeFile(join(folder, 'package.json'), '{}');
  const { PATH } = process.env;
  const env = { PATH, HOME: folder, TMPDIR: folder, PYTHONUNBUFFERED: '1', ...environment };
  const started = await startListeningProcess({
    ...server,
    command: python,
    cwd: folder,
    env,
    announcement: 'Running on http://',
    log,
  });
  return {
    url: started.url,
    [Symbol.asyncDispose]: async () => {
      await started[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
};

/** A port that was free just now: the emulators cannot be left to choose one. */
const freePort = async (): Promise<number> => {
  await using server = await listen(createServer());
  return Number(new URL(server.url).port);
};
