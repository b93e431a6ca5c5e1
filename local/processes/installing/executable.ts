import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** Whether we may run what is at `path`. */
export const executable = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    () => true,
    () => false,
  );

/** Where a command is that the environment's PATH knows. */
export const findOnPath = async (
  command: string,
  environment: NodeJS.ProcessEnv,
): Promise<string | undefined> => {
  for (const folder of (environment.PATH ?? '').split(delimiter).filter(Boolean)) {
    const path = join(folder, command);
    if (await executable(path)) return path;
  }
  return undefined;
};
