import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  UnprocessableError,
} from '../../../shared/core/errors.ts';

/** What a caller asked for; DCM reads only `service_type`. */
export type Spec = Readonly<Record<string, unknown>>;

/** Width of the id columns, in characters. */
export const longestId = 63;

/** The ids that DCM allows: of a provider, of an agent and of a service-type instance. */
export const resourceIdPattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
export const ResourceId = z.string().regex(resourceIdPattern);

/** @throws InvalidArgumentError where the spec names no service type. */
export const serviceTypeOf = ({ service_type: serviceType }: Spec): string => {
  if (typeof serviceType !== 'string')
    throw new InvalidArgumentError('spec.service_type is required and must be a string');
  if (serviceType.trim() === '') throw new InvalidArgumentError('spec.service_type must not be empty');
  return serviceType;
};

export const PageSize = z.coerce
  .number()
  .int()
  .min(1, 'expected 1 to 100')
  .max(100, 'expected 1 to 100')
  .default(100);

/** An offset in base64; an empty token means the first page. */
export const strictPageToken = z
  .string()
  .transform((token) => (token === '' ? 0 : Number(Buffer.from(token, 'base64').toString() || Number.NaN)))
  .pipe(z.int('invalid page_token').min(0, 'invalid page_token'))
  .default(0);

/** A token that cannot be read means the first page, as in DCM's list of service-type instances. */
export const lenientPageToken = strictPageToken.catch(0);

/** The token of the next page. `found` counts the rows of a query for one more than the page holds; without that one there is no next page. */
export const nextPageToken = (
  found: number,
  { offset, limit }: { readonly offset: number; readonly limit: number },
) => (found > limit ? { next_page_token: btoa(String(offset + limit)) } : {});

/** An error as DCM's APIs answer it: problem details (RFC 9457) whose type is a short word. */
export const problem = (type: string, title: string, status: number, detail: string): Response =>
  Response.json(
    { type, title, status, detail },
    { status, headers: { 'content-type': 'application/problem+json' } },
  );

/** DCM's answer to an expected error about `noun`, which is `Provider` or `Instance`; undefined for any other error. */
export const problemOf = (error: Error, noun: string): Response | undefined => {
  const { message } = error;
  if (error instanceof InvalidArgumentError)
    return problem('validation-error', 'Validation failed', 400, message);
  if (error instanceof NotFoundError) return problem('not-found', `${noun} not found`, 404, message);
  if (error instanceof FailedPreconditionError) return problem('conflict', 'Resource conflict', 409, message);
  if (error instanceof UnprocessableError) return problem('provider-error', 'Provider error', 422, message);
  return undefined;
};

/** Parses what a caller sent. @throws InvalidArgumentError that names the field and what was expected. */
export const parse = <Output>(schema: z.ZodType<Output>, input: unknown): Output => {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  const issues = result.error.issues.map(({ path, message }) => [...path, message].join(': ')).join('; ');
  throw new InvalidArgumentError(issues, { cause: result.error });
};
