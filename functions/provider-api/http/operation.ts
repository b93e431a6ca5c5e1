import type * as z from 'zod/mini';
import type { ProblemCode } from '../../../shared/wire/problem.ts';
import type { UseCases } from '../use-cases.ts';
import { queryOf } from './query.ts';

/** What is asked of an operation. */
export type Call<Query> = {
  /** Of the VMs that it is about. */
  readonly region: string;
  /** The path's `{vm_id}`; empty where it has none. */
  readonly vmId: string;
  readonly query: Query;
  readonly header: (name: string) => string | undefined;
  readonly body: () => Promise<unknown>;
  readonly requestId: string;
  /** Notes which VM it is about, where only the operation knows. */
  readonly concerns: (vmId: string) => void;
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
  /** Reads a VM's spec from the request's body. */
  readonly takesSpec?: true;
  readonly status: 200 | 201 | 204;
  /** What it says with that status. */
  readonly says: string;
  /** What else can become of it, besides what can become of everything. */
  readonly problems: readonly ProblemCode[];
};

/** One operation of the API: how it is asked for, what it answers, and which use case it is. Everything that tells of the API reads these. */
export type Operation = Described & {
  readonly query: z.ZodMiniObject;
  readonly answer: z.ZodMiniType | undefined;
  readonly run: (useCases: UseCases, call: Call<URLSearchParams>) => Promise<unknown>;
};

type Definition<Query extends z.core.$ZodShape, Answer> = Described & {
  readonly query: z.ZodMiniObject<Query>;
  /** Undefined: none. */
  readonly answer: z.ZodMiniType<Answer> | undefined;
  readonly run: (
    useCases: UseCases,
    call: Call<z.output<z.ZodMiniObject<Query, z.core.$strip>>>,
  ) => Promise<Answer>;
};

/** An operation whose query is parsed before it runs. */
export const operation = <Query extends z.core.$ZodShape, Answer>({
  run,
  ...described
}: Definition<Query, Answer>): Operation => ({
  ...described,
  run: (useCases, call) => run(useCases, { ...call, query: queryOf(described.query, call.query) }),
});
