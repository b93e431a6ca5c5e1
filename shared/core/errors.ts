import { $ZodError, prettifyError } from 'zod/v4/core';

/** The base of the provider's own errors. `retryable` decides between redelivery and the dead-letter queue. */
export abstract class ProviderError extends Error {
  /** Last segment of an RFC 9457 `type` URI. */
  abstract readonly code: string;
  /** True where the same call may succeed later without a change. */
  abstract readonly retryable: boolean;
}

/** Input that no retry makes readable. */
export class UnreadableError extends ProviderError {
  override name = 'UnreadableError' as const;
  readonly code = 'unreadable';
  readonly retryable = false;
}

/** A service that we depend on throttled the call, could not be reached, or was too slow. */
export class UnavailableError extends ProviderError {
  override name = 'UnavailableError' as const;
  readonly code = 'unavailable';
  readonly retryable = true;
}

/**
 * STS refuses us our role in an account, so the account was not asked: the role was revoked, or its template is not deployed. That is the
 * provider's own trouble, not the caller's, and a retry succeeds once the role is granted: HTTP 503.
 */
export class RefusedRoleError extends UnavailableError {}

/** The owner of a resource is not known yet: it was launched moments ago and its tags are not visible. */
export class RecentlyLaunchedError extends ProviderError {
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

/** The request cannot be read, or contradicts itself: HTTP 400. The message names the field and what was expected. */
export class InvalidArgumentError extends ProviderError {
  override name = 'InvalidArgumentError' as const;
  readonly code = 'invalid-argument';
  readonly retryable = false;
}

/** The caller sent no credentials, or wrong ones: HTTP 401. */
export class UnauthenticatedError extends ProviderError {
  override name = 'UnauthenticatedError' as const;
  readonly code = 'unauthenticated';
  readonly retryable = false;
}

/** The requested resource or path does not exist: HTTP 404. */
export class NotFoundError extends ProviderError {
  override name = 'NotFoundError' as const;
  readonly code = 'not-found';
  readonly retryable = false;
}

/** What was asked for is no longer kept: HTTP 410. The message says how to begin again. */
export class GoneError extends ProviderError {
  override name = 'GoneError' as const;
  readonly code = 'gone';
  readonly retryable = false;
}

/** The current state of the resource does not allow the request; a later state may: HTTP 409. */
export class FailedPreconditionError extends ProviderError {
  override name = 'FailedPreconditionError' as const;
  readonly code = 'failed-precondition';
  readonly retryable = false;
}

/** The request is well formed, but the operator's limits or the service's offer do not allow it: HTTP 422. */
export class UnprocessableError extends ProviderError {
  override name = 'UnprocessableError' as const;
  readonly code = 'unprocessable';
  readonly retryable = false;
}

/** Our role in AWS, or a policy above it, may not do this: HTTP 403. */
export class PermissionDeniedError extends ProviderError {
  override name = 'PermissionDeniedError' as const;
  readonly code = 'permission-denied';
  readonly retryable = false;
}

/** A quota of the account is used up: HTTP 429. */
export class ResourceExhaustedError extends ProviderError {
  override name = 'ResourceExhaustedError' as const;
  readonly code = 'resource-exhausted';
  readonly retryable = true;
}

/** The service throttled this request and did not process it: HTTP 429. An attempt before it may have succeeded. */
export class ThrottledError extends ProviderError {
  override name = 'ThrottledError' as const;
  readonly code = 'resource-exhausted';
  readonly retryable = true;
}

/** The service has no capacity for the request in this placement: HTTP 503 where no other placement has any. */
export class CapacityError extends ProviderError {
  override name = 'CapacityError' as const;
  readonly code = 'insufficient-capacity';
  readonly retryable = true;
}

/** A request could not be serialised or signed, so that nothing was sent: HTTP 500. The same request fails every time. */
export class UnsendableError extends ProviderError {
  override name = 'UnsendableError' as const;
  readonly code = 'internal';
  readonly retryable = false;
}

/** The service answered with an error of its own: HTTP 502. */
export class UpstreamError extends ProviderError {
  override name = 'UpstreamError' as const;
  readonly code = 'upstream';
  readonly retryable = true;
}

/** The text of anything thrown, for a log line or a dead-letter reason. For a ZodError: which field was wrong, and what was expected. */
export const reasonOf = (error: unknown): string => {
  if (error instanceof $ZodError) return prettifyError(error);
  return error instanceof Error ? error.message : String(error);
};

/** A number of things as messages say it: `1 instance`, `2 instances`. */
export const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
