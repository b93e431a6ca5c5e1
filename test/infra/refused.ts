import { SettingsError } from '../../shared/core/errors.ts';

/** The sentence by which settings are refused. */
export const refusalOf = (attempt: () => unknown): string => {
  try {
    attempt();
  } catch (error) {
    if (error instanceof SettingsError) return error.message;
    throw error;
  }
  throw new Error('nothing was refused');
};
