import { $ZodError, prettifyError } from 'zod/v4/core';

/** What can go wrong in the provider's own words. `retryable` decides between redelivery and the dead-letter queue. */
export abstract class ProviderError extends Error {
  /** Last segment of an RFC 9457 `type` URI. */
  abstract readonly code: string;
  /** True where the same call can succeed later with nothing else changed. */
  abstract readonly retryable: boolean;
}

/** Input that no retry makes readable. */
export class UnreadableError extends ProviderError {
  override name = 'UnreadableError' as const;
  readonly code = 'unreadable';
  readonly retryable = false;
}

/** A service we depend on did not do its part this time: throttled, unreachable, too slow. */
export class UnavailableError extends ProviderError {
  override name = 'UnavailableError' as const;
  readonly code = 'unavailable';
  readonly retryable = true;
}

/** EC2 does not say yet whose instance this is: it was launched moments ago and its tags are not there. */
export class TooYoungError extends ProviderError {
  override name = 'TooYoungError' as const;
  readonly code = 'too-young';
  readonly retryable = true;
}

/** Settings that cannot work; the message is one sentence that names the setting. */
export class SettingsError extends ProviderError {
  override name = 'SettingsError' as const;
  readonly code = 'settings';
  readonly retryable = false;
}

/** The text of anything thrown, for a log line or a dead-letter reason: of a schema's refusal, what was expected where. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof $ZodError) return prettifyError(error);
  return error instanceof Error ? error.message : String(error);
};
