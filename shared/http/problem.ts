import * as z from 'zod/mini';
import { ProviderError } from '../core/errors.ts';

/**
 * An error as an HTTP API answers it, `application/problem+json`.
 * @see https://www.rfc-editor.org/rfc/rfc9457
 */
export const Problem = z
  .object({
    type: z.string().check(z.meta({ format: 'uri-reference', description: 'The kind of problem.' })),
    title: z.string().check(z.describe('The name of that kind. The same for all problems of one type.')),
    status: z.int().check(z.describe('The HTTP status code.')),
    detail: z.string().check(z.describe('What failed, for which resource or field, and what was expected.')),
    instance: z.string().check(
      z.meta({
        format: 'uri-reference',
        description: 'The path of the request and, after `#`, the id of the request.',
      }),
    ),
    retryable: z.boolean().check(z.describe('Whether the same request can succeed when it is retried.')),
  })
  .check(z.meta({ id: 'Problem', description: 'An error, as RFC 9457 defines it.' }));
export type Problem = z.infer<typeof Problem>;

type ProblemKind = {
  readonly status: number;
  readonly title: string;
  readonly retryable: boolean;
  /** The `Retry-After` header. */
  readonly retryAfterSeconds?: number;
};

/** Every kind of problem, by the last segment of its `type`. Errors with other codes are answered as `internal`. */
export const problemKinds = {
  'invalid-argument': { status: 400, title: 'Invalid argument', retryable: false },
  unauthenticated: { status: 401, title: 'Not authenticated', retryable: false },
  'permission-denied': { status: 403, title: 'Permission denied', retryable: false },
  'not-found': { status: 404, title: 'Not found', retryable: false },
  gone: { status: 410, title: 'Gone', retryable: false },
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
} as const satisfies Record<string, ProblemKind>;
export type ProblemCode = keyof typeof problemKinds;

const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(problemKinds, code);

/** What is answered of anything thrown. Unexpected errors are answered without their text, which may hold internals. */
export const problemOf = (error: unknown): { readonly code: ProblemCode; readonly detail: string } => {
  if (error instanceof ProviderError && isProblemCode(error.code))
    return { code: error.code, detail: error.message };
  return {
    code: 'internal',
    detail: 'the provider failed; its log has the reason, under the id of this request',
  };
};

/** The response of every problem. */
export const problemResponse = (
  { code, detail }: { readonly code: ProblemCode; readonly detail: string },
  instance: string,
  headers: Readonly<Record<string, string>> = {},
): Response => {
  const { status, title, retryable, retryAfterSeconds }: ProblemKind = problemKinds[code];
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
