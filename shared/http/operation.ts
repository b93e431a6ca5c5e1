import * as z from 'zod/mini';
import { InvalidArgumentError, ProviderError } from '../core/errors.ts';
import type { NamedTarget } from '../core/target.ts';
import type { ProblemCode } from './problem.ts';

/** The ids by which a path names one resource. */
export type ResourceIds = {
  /** What an id must look like. */
  readonly id: z.ZodMiniType<string>;
  /** The field of log lines that holds the id, such as `dcmId`. */
  readonly logField: string;
};

/** What a request asks for. */
export type Asked = {
  /** Undefined: nothing of a single target. */
  readonly target: NamedTarget | undefined;
  /** What the operation's credentials must permit, such as `inventory:read`; undefined: nothing in particular. */
  readonly scope?: string | undefined;
  /** Whether something is created, changed or deleted. @default false */
  readonly isWrite?: boolean | undefined;
};

/** One request, as an operation reads it. */
export type Call<Query> = {
  /** The target of the path; the home account's home region where the path names none. */
  readonly target: NamedTarget;
  /** The beginning of the path that names the target, for links; empty where the path names none. */
  readonly base: string;
  /** The last id in the path; empty where the path has none. */
  readonly resourceId: string;
  /** All ids in the path, by the names that they have in the operation's path. */
  readonly ids: Readonly<Record<string, string>>;
  /** Of the request, with the query as it was sent. */
  readonly url: URL;
  /** Whether the credentials of the request permit something else, too. */
  readonly permits: (asked: Asked) => boolean;
  readonly query: Query;
  readonly header: (name: string) => string | undefined;
  /** The JSON of the body, as `jsonBody` reads it. */
  readonly body: () => Promise<unknown>;
  readonly requestId: string;
  /** Adds the id to the request's log lines, where the path does not have it. */
  readonly logResource: (resourceId: string) => void;
};

type Described = {
  readonly operationId: string;
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** Below the target's prefix, as a path of OpenAPI. */
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  /** Nothing of a single target: the path exists once, without a prefix. */
  readonly isOfNoTarget?: true;
  /** Where the path names no target, of all targets that the credentials open: they need not open the home account. */
  readonly isOfAllTargets?: true;
  /** Answered without credentials. */
  readonly isPublic?: true;
  /** What the credentials must permit. @default nothing in particular */
  readonly scope?: string;
  /** The query parameters that are as if absent where they are empty, because DCM's clients send them so. An empty other one is refused. */
  readonly emptyIsAbsent?: readonly string[];
  /** The request headers that it reads, with their descriptions. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The resource whose `spec` it reads from the request's body. Undefined: the request has no body. */
  readonly takes?: z.ZodMiniType;
  readonly status: 200 | 201 | 204;
  /** The description of the answer with that status. */
  readonly answered: string;
  /** The media types of that answer besides JSON, such as `text/csv`: where the request asks for them, or where there is no JSON. */
  readonly alsoAnsweredAs?: readonly string[];
  /** Further statuses that are no problems, with their descriptions. Their answers have no body. */
  readonly othersAnswered?: Readonly<Record<number, string>>;
  /** The problems that it may answer, besides those of every operation. */
  readonly problems: readonly ProblemCode[];
};

/** One operation of an HTTP API: its request, its answer, and the use case that it calls. The router and the OpenAPI document are made of these. */
export type Operation<UseCases> = Described & {
  readonly ids: ResourceIds;
  readonly query: z.ZodMiniObject;
  /** Undefined: the answer has no body. */
  readonly answer: z.ZodMiniType | undefined;
  /** The answer, or a response that is sent as it is. */
  readonly run: (useCases: UseCases, call: Call<URLSearchParams>) => Promise<unknown>;
};

type Definition<UseCases, Query extends z.core.$ZodShape, Answer> = Described & {
  readonly query: z.ZodMiniObject<Query>;
  readonly answer: z.ZodMiniType<Answer> | undefined;
  readonly run: (
    useCases: UseCases,
    call: Call<z.output<z.ZodMiniObject<Query, z.core.$strip>>>,
  ) => Promise<Answer | Response>;
};

/** Makes operations on resources with these ids. The query is parsed before an operation runs. */
export const operationsOf =
  <UseCases>(ids: ResourceIds) =>
  <Query extends z.core.$ZodShape, Answer>({
    run,
    ...described
  }: Definition<UseCases, Query, Answer>): Operation<UseCases> => ({
    ...described,
    ids,
    run: (useCases, call) => run(useCases, { ...call, query: parseQuery(described, call.query) }),
  });

/** The query of an operation without query parameters. */
export const NoQuery = z.object({});

/**
 * The query parameters of an operation. Unknown parameters are ignored.
 * @throws InvalidArgumentError that names the parameter and says what was expected.
 */
const parseQuery = <Query extends z.core.$ZodShape>(
  { query: schema, emptyIsAbsent = [] }: Pick<Definition<never, Query, never>, 'query' | 'emptyIsAbsent'>,
  parameters: URLSearchParams,
): z.output<z.ZodMiniObject<Query, z.core.$strip>> => {
  const given = new Map<string, string>(); // an object would have members of its own, such as __proto__
  for (const [name, value] of parameters) {
    if (value === '' && emptyIsAbsent.includes(name)) continue;
    if (value === '' && Object.hasOwn(schema.shape, name))
      throw new InvalidArgumentError(`${name}: expected a value, got nothing`);
    if (given.has(name)) throw new InvalidArgumentError(`${name}: expected it once`);
    given.set(name, value);
  }
  const parsed = schema.safeParse(Object.fromEntries(given));
  if (parsed.success) return parsed.data;
  const violations = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new InvalidArgumentError(violations.join('; '));
};

/** A query parameter that is a whole number, and of that type in the OpenAPI document. */
export const integerParameter = (minimum: number, maximum: number) => {
  const error = `expected a whole number from ${minimum} to ${maximum}`;
  return z.pipe(
    z.transform((text) => (/^\d{1,9}$/.test(String(text)) ? Number(text) : Number.NaN)), // Number takes 1e2 and 0x10 too
    z.int({ error }).check(z.minimum(minimum, { error }), z.maximum(maximum, { error })),
  );
};

/** `id` as the schema has it. @throws InvalidArgumentError that begins with `name`, where the id came from. */
export const parseId = (schema: z.ZodMiniType<string>, id: string, name: string): string => {
  const parsed = schema.safeParse(id);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${name}: ${parsed.error.issues[0]?.message}`);
};

/** DCM's largest spec has a few kilobytes. */
export const maximumBodyBytes = 1024 * 1024;

class PayloadTooLargeError extends ProviderError {
  override name = 'PayloadTooLargeError' as const;
  readonly code = 'payload-too-large';
  readonly retryable = false;
}

/**
 * The JSON of a request's body. Errors do not quote it, since it may hold user data.
 * @throws InvalidArgumentError where the body is empty, not UTF-8 or not JSON, or has another content type; PayloadTooLargeError.
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
  const text = decodeUtf8(bytes);
  if (text.trim() === '') throw new InvalidArgumentError('body: expected JSON, got nothing');
  try {
    return JSON.parse(text);
  } catch {
    throw new InvalidArgumentError('body: expected JSON, got something else');
  }
};

/** Without `fatal`, invalid bytes would become replacement characters. */
const decodeUtf8 = (bytes: ArrayBuffer): string => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidArgumentError('body: expected UTF-8');
  }
};
