import * as z from 'zod/mini';
import { InvalidArgumentError, ProviderError } from '../core/errors.ts';
import type { ProblemCode } from './problem.ts';

/** What is asked of an operation. */
export type Call<Query> = {
  /** Of the resources that it is about. */
  readonly region: string;
  /** The id in the path; empty where the path has none. */
  readonly resourceId: string;
  readonly query: Query;
  readonly header: (name: string) => string | undefined;
  readonly body: () => Promise<unknown>;
  readonly requestId: string;
  /** Notes which resource it is about, where only the operation knows. */
  readonly concerns: (resourceId: string) => void;
};

type Described = {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the region's prefix, in OpenAPI's template language. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Answered without credentials. */
  readonly isPublic?: true;
  /** Request headers that it reads, and what they say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Reads a resource's spec from the request's body. */
  readonly takesSpec?: true;
  readonly status: 200 | 201 | 204;
  /** What it says with that status. */
  readonly says: string;
  /** What else can become of it, besides what can become of everything. */
  readonly problems: readonly ProblemCode[];
};

/** One operation of the API: how it is asked for, what it answers, and which use case it is. Everything that tells of the API reads these. */
export type Operation<UseCases> = Described & {
  readonly query: z.ZodMiniObject;
  readonly answer: z.ZodMiniType | undefined;
  readonly run: (useCases: UseCases, call: Call<URLSearchParams>) => Promise<unknown>;
};

type Definition<UseCases, Query extends z.core.$ZodShape, Answer> = Described & {
  readonly query: z.ZodMiniObject<Query>;
  /** Undefined: none. */
  readonly answer: z.ZodMiniType<Answer> | undefined;
  readonly run: (
    useCases: UseCases,
    call: Call<z.output<z.ZodMiniObject<Query, z.core.$strip>>>,
  ) => Promise<Answer>;
};

/** Makes operations of one function's use cases, whose query is parsed before they run. */
export const operationsOf =
  <UseCases>() =>
  <Query extends z.core.$ZodShape, Answer>({
    run,
    ...described
  }: Definition<UseCases, Query, Answer>): Operation<UseCases> => ({
    ...described,
    run: (useCases, call) => run(useCases, { ...call, query: queryOf(described.query, call.query) }),
  });

/** The parameters of operations that have none. */
export const NoQuery = z.object({});

/**
 * The query parameters that an operation has; others are ignored, and so are empty ones.
 * @throws InvalidArgumentError that names the parameter and what was expected.
 */
const queryOf = <Query>(schema: z.ZodMiniType<Query>, parameters: URLSearchParams): Query => {
  const given = new Map<string, string>(); // an object would have members of its own, such as __proto__
  for (const [name, value] of parameters) {
    if (value === '') continue;
    if (given.has(name)) throw new InvalidArgumentError(`${name}: expected it once`);
    given.set(name, value);
  }
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const refused = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidArgumentError(refused.join('; '));
};

/** DCM's largest spec is a few kilobytes. */
export const maximumBodyBytes = 1024 * 1024;

class PayloadTooLargeError extends ProviderError {
  override name = 'PayloadTooLargeError' as const;
  readonly code = 'payload-too-large';
  readonly retryable = false;
}

/**
 * The JSON of a request's body.
 * @throws InvalidArgumentError where it is empty, not UTF-8, malformed, or called something else; PayloadTooLargeError. It is not quoted: it may hold
 * user data.
 */
export const jsonBody = async (request: Request): Promise<unknown> => {
  const contentType = request.headers.get('content-type') ?? '';
  if (!/^application\/json *(;|$)/i.test(contentType))
    throw new InvalidArgumentError('content-type: expected application/json');
  const bytes = await request.arrayBuffer();
  if (bytes.byteLength > maximumBodyBytes)
    throw new PayloadTooLargeError(
      `body: expected at most ${maximumBodyBytes} bytes, got ${bytes.byteLength}`,
    );
  const text = decoded(bytes);
  if (text.trim() === '') throw new InvalidArgumentError('body: expected JSON, got nothing');
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('body: expected JSON, got something else');
  }
};

/** Without `fatal`, bytes that are no UTF-8 would become other characters than the caller's. */
const decoded = (bytes: ArrayBuffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidArgumentError('body: expected UTF-8');
  }
};
