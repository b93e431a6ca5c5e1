import { createHash } from 'node:crypto';
import { access, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOnPath, oneAtATime, run } from '../../local/processes/installing.ts';
import { SettingsError } from '../../shared/core/errors.ts';

type Log = (line: string) => void;

const requirements = fileURLToPath(new URL('requirements.txt', import.meta.url));
const cache = fileURLToPath(new URL('../../.cache/acceptance', import.meta.url));
/** The newest first. */
const candidates = ['python3.14', 'python3.13', 'python3.12', 'python3.11', 'python3'];

/**
 * The Python that has ministack and moto: a virtual environment in .cache/acceptance, created once for each content of requirements.txt,
 * which pins every package by its hash.
 * @throws SettingsError where there is no Python 3.11 or newer, or where the packages cannot be installed.
 */
export const installEmulators = async (log: Log): Promise<string> => {
  const hash = createHash('sha256').update(await readFile(requirements));
  const folder = join(cache, hash.digest('hex').slice(0, 12));
  await mkdir(cache, { recursive: true });
  await oneAtATime(join(cache, 'lock'), async () => {
    if (!(await isComplete(folder))) await install(folder, log);
  });
  return join(folder, 'bin/python');
};

/** Written last: a virtual environment that was left half installed is installed again. */
const markerIn = (folder: string) => join(folder, 'complete');
const isComplete = (folder: string) =>
  access(markerIn(folder)).then(
    () => true,
    () => false,
  );

const install = async (folder: string, log: Log): Promise<void> => {
  const python = await findPython();
  log(`installing ministack and moto with ${python}; this happens once`);
  await rm(folder, { recursive: true, force: true });
  const output: string[] = [];
  const surroundings = { cwd: cache, env: process.env, log: (line: string) => void output.push(line) };
  const pip = [join(folder, 'bin/python'), '-m', 'pip', '--disable-pip-version-check', 'install'] as const;
  const installed =
    (await run([python, '-m', 'venv', folder], surroundings)) &&
    (await run([...pip, '--require-hashes', '--only-binary', ':all:', '-r', requirements], surroundings));
  if (!installed)
    throw new SettingsError(`ministack and moto cannot be installed: ${output.slice(-3).join(' ')}`);
  await writeFile(markerIn(folder), '');
};

const findPython = async (): Promise<string> => {
  const isNewEnough = 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))';
  const surroundings = { cwd: tmpdir(), env: process.env, log: () => {} };
  for (const name of candidates) {
    const path = await findOnPath(name, process.env);
    if (path !== undefined && (await run([path, '-c', isNewEnough], surroundings))) return path;
  }
  throw new SettingsError(
    `there is no Python 3.11 or newer with venv, which ministack and moto need: none of ${candidates.join(', ')} on PATH is one`,
  );
};
