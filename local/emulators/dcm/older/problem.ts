import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  UnprocessableError,
} from '../../../../shared/core/errors.ts';

/** An error as DCM's APIs answer it: RFC 9457, with a short word for the type. */
export const problem = (type: string, title: string, status: number, detail: string): Response =>
  Response.json(
    { type, title, status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );

/** What DCM answers to an error that it expects, about a `Provider` or an `Instance`; undefined for any other. */
export const problemOf = (error: Error, noun: string): Response | undefined => {
  const { message } = error;
  if (error instanceof InvalidArgumentError)
    return problem('validation-error', 'Validation failed', 400, message);
  if (error instanceof NotFoundError) return problem('not-found', `${noun} not found`, 404, message);
  if (error instanceof FailedPreconditionError) return problem('conflict', 'Resource conflict', 409, message);
  if (error instanceof UnprocessableError) return problem('provider-error', 'Provider error', 422, message);
  return undefined;
};
