import { reasonOf, UnavailableError } from '../../core/errors.ts';

/**
 * What DynamoDB answers to a request that fails every time: the request is wrong, or the table or the permission is missing. Refused
 * credentials are not among them, since they are renewed.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html
 */
const finalCodes: readonly string[] = [
  'AccessDeniedException',
  'IncompleteSignatureException',
  'MissingAuthenticationTokenException',
  'ResourceNotFoundException',
  'SerializationException',
  'UnknownOperationException',
  'ValidationException',
];

/**
 * A request that no retry makes work. Not a ProviderError, so that it is handled as every unexpected error is: HTTP 500 without its text, an
 * error in the log, and a queued message comes again until it is in the dead-letter queue.
 */
export class RefusedRequestError extends Error {
  override name = 'RefusedRequestError' as const;
}

/** Anything thrown by the client as one of our errors. `failure`: what did not happen, as in "the DynamoDB table did not write i-1". */
export const tableError = (cause: unknown, failure: string): UnavailableError | RefusedRequestError =>
  isFinal(cause)
    ? new RefusedRequestError(`${failure}: ${reasonOf(cause)} (${cause.name}); no retry helps`, { cause })
    : new UnavailableError(failure, { cause });

const isFinal = (cause: unknown): cause is Error =>
  cause instanceof Error && (finalCodes.includes(cause.name) || isUnserialisable(cause));

/** The client could not write the request: what it throws then has no name of its own, and no metadata of an attempt. */
const isUnserialisable = (error: Error): boolean =>
  ['Error', 'RangeError', 'TypeError'].includes(error.name) && !('$metadata' in error);
