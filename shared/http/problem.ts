import * as z from 'zod/mini';
import { ProviderError } from '../core/errors.ts';

/**
 * An error as the provider's API answers it, `application/problem+json`.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export const Problem = z
  .object({
    type: z.string().check(z.meta({ format: 'uri-reference', description: 'Which kind of problem it is.' })),
    title: z.string().check(z.describe('The same for all problems of this type.')),
    status: z.int().check(z.describe('The HTTP status once more.')),
    detail: z.string().check(z.describe('What failed, which one, and what was expected.')),
    instance: z.string().check(
      z.meta({
        format: 'uri-reference',
        description: 'The path that was asked for and, behind `#`, the id of the request.',
      }),
    ),
    retryable: z
      .boolean()
      .check(z.describe('Whether the same request can succeed later with nothing else changed.')),
  })
  .check(z.meta({ id: 'Problem', description: 'An error, as RFC 9457 has it.' }));
export type Problem = z.infer<typeof Problem>;

type Kind = {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  /** What `Retry-After` says. */
  readonly retryAfterSeconds?: number;
};

/** Every problem there is, by the last segment of its `type`. Of an error with another code, callers learn only that it is ours. */
export const problemKinds = {
  'invalid-argument': { status: 400, title: 'Invalid argument', retryable: false },
  unauthenticated: { status: 401, title: 'Not authenticated', retryable: false },
  'permission-denied': { status: 403, title: 'Permission denied', retryable: false },
  'not-found': { status: 404, title: 'Not found', retryable: false },
  'method-not-allowed': { status: 405, title: 'Method not allowed', retryable: false },
  'failed-precondition': { status: 409, title: 'Failed precondition', retryable: false },
  'payload-too-large': { status: 413, title: 'Payload too large', retryable: false },
  unprocessable: { status: 422, title: 'Unprocessable', retryable: false },
  'resource-exhausted': { status: 429, title: 'Resource exhausted', retryable: true, retryAfterSeconds: 5 },
  internal: { status: 500, title: 'Internal error', retryable: false },
  upstream: { status: 502, title: 'Upstream error', retryable: true },
  unavailable: { status: 503, title: 'Unavailable', retryable: true, retryAfterSeconds: 5 },
  'insufficient-capacity': {
    status: 503,
    title: 'Insufficient capacity',
    retryable: true,
    retryAfterSeconds: 30,
  },
} as const satisfies Record<string, Kind>;
export type ProblemCode = keyof typeof problemKinds;

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemKinds, code);

/** What a caller may learn of anything thrown: of what is not a problem of theirs, nothing. */
export const problemOf = (error: unknown): { readonly code: ProblemCode; readonly detail: string } => {
  if (error instanceof ProviderError && isProblemCode(error.code))
    return { code: error.code, detail: error.message };
  return {
    code: 'internal',
    detail: 'the provider failed; its log has the reason under the id of the request',
  };
};

/** The one way in which the provider's API says that something is wrong. */
export const problemResponse = (
  { code, detail }: { readonly code: ProblemCode; readonly detail: string },
  instance: string,
  headers: Readonly<Record<string, string>> = {},
): Response => {
  const { status, title, retryable, retryAfterSeconds }: Kind = problemKinds[code];
  const type = `https://dcm-project.github.io/problems/${code}`;
  const problem: Problem = { type, title, status, detail, instance, retryable };
  return Response.json(problem, {
    status,
    headers: {
      ...headers,
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      'content-type': 'application/problem+json',
    },
  });
};
