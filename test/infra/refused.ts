import { SettingsError } from '../../shared/core/errors.ts';

/** The message of the SettingsError that the attempt throws. */
export const refusalOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};
