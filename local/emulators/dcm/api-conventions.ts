import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  UnprocessableError,
} from '../../../shared/core/errors.ts';

export const PageSize = z.coerce
  .number()
  .int()
  .min(1, 'expected 1 to 100')
  .max(100, 'expected 1 to 100')
  .default(100);

/** An offset, in base64; an empty one is none. */
export const strictPageToken = z
  .string()
  .transform((token) => (token === '' ? 0 : Number(Buffer.from(token, 'base64').toString() || Number.NaN)))
  .pipe(z.int('invalid page_token').min(0, 'invalid page_token'))
  .default(0);

/** As at DCM's service-type instances, one that cannot be read is the first page. */
export const lenientPageToken = strictPageToken.catch(0);

/** Present where `found`, of which one more was asked for than the page holds, does not fit on it. */
export const nextPageToken = (
  found: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) => (found > limit ? { next_page_token: btoa(String(offset + limit)) } : {});

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

/** What a caller sent, as the schema wants it. @throws InvalidArgumentError that says what was expected where. */
export const parsed = <Output>(schema: z.ZodType<Output>, input: unknown): Output => {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const what = result.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new InvalidArgumentError(what, { cause: result.error });
};
