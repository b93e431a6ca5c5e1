import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { executable, findOnPath, oneAtATime, run } from '../../../processes/installing.ts';
import { type ListeningProcess, startListeningProcess } from '../../../processes/listening-process.ts';

type Options = {
  readonly natsUrl: string;
  /** Folder of its SQLite file; emptied at the start, created where it is missing. */
  readonly folder: string;
  /** Pause between two health checks of a provider, in seconds. @default 2; a deployment has 10 */
  readonly healthIntervalSeconds?: number;
  /** Called with each log line. */
  readonly log: (line: string) => void;
  /** Called before steps that take long. */
  readonly progress: (line: string) => void;
};

/**
 * Starts DCM's own service provider manager: registry, health checks, dispatch, and rows that are updated from the stream `dcm-status`,
 * which it creates. @throws UnavailableError where it cannot be built, or with its last lines where it does not answer.
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

type BuildOptions = {
  /** Called before steps that take long. */
  readonly log: (line: string) => void;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
  /** Folder where each version is built once. @default .cache/dcm in the repository */
  readonly cache?: string;
};

const projectCache = fileURLToPath(new URL('../../../../.cache/dcm', import.meta.url));
const command = 'github.com/dcm-project/service-provider-manager/cmd/service-provider-manager';

/** The files that pin the version and its dependencies; Go's checksum database verifies them. */
const manifest = ['go.mod', 'go.sum'] as const;
const manifestPath = (name: string) => fileURLToPath(new URL(name, import.meta.url));

/** Why DCM cannot be built on this machine; undefined where it can. Go needs a C compiler for SQLite. */
export const whyNoDcm = async (environment: NodeJS.ProcessEnv = process.env): Promise<string | undefined> => {
  if (environment.DCM_BIN) return undefined;
  if ((await findOnPath('go', environment)) === undefined)
    return 'DCM is built from its source: install Go (https://go.dev/dl)';
  const compilers = ['gcc', 'clang', 'cc'].map((name) => findOnPath(name, environment));
  if ((await Promise.all(compilers)).every((path) => path === undefined))
    return 'DCM uses SQLite, which Go builds with a C compiler: install gcc or clang';
  return undefined;
};

/**
 * The path of DCM's own service provider manager: DCM_BIN, else the one in the project's cache, built with Go where it is missing.
 * @throws UnavailableError that says in one line what is missing. @see ADR 22
 */
export const findServiceProviderManager = async ({
  log,
  environment = process.env,
  cache = projectCache,
}: BuildOptions): Promise<string> => {
  if (environment.DCM_BIN) return environment.DCM_BIN;
  const place = join(cache, await versionOf());
  const path = join(place, 'service-provider-manager');
  if (await executable(path)) return path;
  const reason = await whyNoDcm(environment);
  if (reason !== undefined) throw new UnavailableError(reason);
  await mkdir(cache, { recursive: true });
  await oneAtATime(join(cache, 'lock'), async () => {
    if (!(await executable(path))) await build(place, { log, environment, cache });
  });
  return path;
};

const versionOf = async (): Promise<string> => {
  const hash = createHash('sha256');
  for (const name of manifest) hash.update(await readFile(manifestPath(name)));
  return hash.digest('hex').slice(0, 12);
};

/** Builds into the cache; a build that fails leaves nothing there. Measured: 49 s on 2 cores, downloads included. */
const build = async (place: string, { log, environment, cache }: Required<BuildOptions>): Promise<void> => {
  const folder = await mkdtemp(join(cache, 'unfinished-'));
  try {
    for (const name of manifest) await copyFile(manifestPath(name), join(folder, name));
    log("Building DCM's service provider manager with Go (only the first time). This takes about a minute.");
    const env = { ...environment, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly', CGO_ENABLED: '1' };
    if (!(await run(['go', 'build', '-o', 'service-provider-manager', command], { cwd: folder, env, log })))
      throw new UnavailableError(
        `DCM's service provider manager could not be built: go build ${command} failed`,
      );
    await rename(folder, place);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};
