import * as z from 'zod/mini';
import { ChangesAnswer } from '../../shared/wire/changes.ts';
import { Overview } from '../../shared/wire/overview.ts';

/** The provider refused a request, or did not answer. `status` 0: it did not answer. */
export class RequestError extends Error {
  override name = 'RequestError' as const;
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const Problem = z.object({ detail: z.string() });

const tokenKey = 'token';
let token = sessionStorage.getItem(tokenKey) ?? '';

/** For this tab alone, until it is closed. */
export const useToken = (given: string): void => {
  token = given;
  if (given === '') sessionStorage.removeItem(tokenKey);
  else sessionStorage.setItem(tokenKey, given);
};
export const hasToken = (): boolean => token !== '';

type Asked = {
  readonly method?: 'GET' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** @default after the time that an answer may take */
  readonly signal?: AbortSignal;
};

const answerTimeoutMs = 35_000;
/** The feed answers at once: without an answer for so long, the page is not live. */
const feedTimeoutMs = 8_000;

/** @throws RequestError unless the answer is 2xx or 304. */
const send = async (
  url: string,
  { method = 'GET', body, headers = {}, signal = AbortSignal.timeout(answerTimeoutMs) }: Asked,
): Promise<Response> => {
  const response = await fetch(url, {
    ...{ method, cache: 'no-store' as const, signal },
    headers: { ...headers, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  }).catch((error: unknown) => {
    throw new RequestError(0, error instanceof Error ? error.message : String(error));
  });
  if (response.ok || response.status === 304) return response;
  const problem = Problem.safeParse(await response.json().catch(() => undefined));
  throw new RequestError(
    response.status,
    problem.data?.detail ?? `${response.status} ${response.statusText}`,
  );
};

/** A request to the provider's API. @throws RequestError */
export const ask = (path: string, asked: Asked = {}): Promise<Response> =>
  send(path, { ...asked, headers: { ...asked.headers, authorization: `Bearer ${token}` } });

/** `rows` 0: targets alone. @throws RequestError */
export const readOverview = async (rows: number): Promise<Overview> =>
  Overview.parse(await (await ask(`/api/v1alpha1/overview?rows=${rows}`)).json());

export type ReadChanges = Pick<ChangesAnswer, 'changes' | 'next' | 'pollAfterMs' | 'complete'>;

/** The changes after a cursor. @throws RequestError, with 410 where they are no longer kept. */
export const readChanges = async (after: string): Promise<ReadChanges> => {
  const response = await ask(`/api/v1alpha1/changes?limit=500&after=${encodeURIComponent(after)}`, {
    headers: { 'if-none-match': `"${after}"` },
    signal: AbortSignal.timeout(feedTimeoutMs),
  });
  if (response.status !== 304) return ChangesAnswer.parse(await response.json());
  const pollAfterMs = Number(response.headers.get('pollAfterMs') ?? 1000);
  return { changes: [], next: after, pollAfterMs, complete: true };
};

/** The provider sends a comment every 15 s where there are no changes. */
const silenceMs = 25_000;

/** The complete blocks of an event stream, as they come; each block once. */
async function* blocksOf({ body }: Response): AsyncGenerator<readonly string[]> {
  const reader = body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ; ) {
    const { value = '', done } = (await reader?.read()) ?? { done: true };
    if (done) return;
    const blocks = `${rest}${value}`.split('\n\n');
    rest = blocks.pop() ?? '';
    yield blocks;
  }
}

const fieldsOf = (blocks: readonly string[], name: 'id' | 'data'): string[] =>
  blocks.flatMap((block) => new RegExp(`^${name}: (.*)$`, 'm').exec(block)?.[1] ?? []);

/** The changes in an answer: as they come, or all at once where it is no event stream. `heard` is called whenever something comes. */
async function* changesIn(
  response: Response,
  after: string,
  heard: () => void,
): AsyncGenerator<ReadChanges & { readonly isStreamed: boolean }> {
  if (!response.headers.get('content-type')?.startsWith('text/event-stream')) {
    yield { ...ChangesAnswer.parse(await response.json()), isStreamed: false };
    return;
  }
  let next = after;
  for await (const blocks of blocksOf(response)) {
    heard();
    next = fieldsOf(blocks, 'id').at(-1) ?? next;
    const changes = ChangesAnswer.shape.changes.parse(fieldsOf(blocks, 'data').map((one) => JSON.parse(one)));
    yield { changes, next, pollAfterMs: 1_000, complete: true, isStreamed: true };
  }
}

/**
 * The changes after a cursor as they come, from a host that keeps event streams open: a laptop. Any other answers the changes there are, and
 * that is all. Ends where the host ends the stream, or where `left` is aborted.
 * @throws RequestError, also where the stream breaks or is silent.
 */
export async function* streamChanges(after: string, left: AbortSignal): ReturnType<typeof changesIn> {
  const silent = new AbortController();
  let timer = 0;
  const heard = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => silent.abort(new Error('the provider sends nothing')), silenceMs);
  };
  heard();
  try {
    const response = await ask(`/api/v1alpha1/changes?limit=500&after=${encodeURIComponent(after)}`, {
      headers: { accept: 'text/event-stream, application/json' },
      signal: AbortSignal.any([silent.signal, left]),
    });
    yield* changesIn(response, after, heard);
  } catch (error) {
    if (left.aborted) return;
    throw error instanceof RequestError ? error : new RequestError(0, `${silent.signal.reason ?? error}`);
  } finally {
    clearTimeout(timer);
  }
}

const Events = z.object({
  results: z.array(z.object({ status: z.string(), message: z.string(), update_time: z.string() })),
});
export type Event = z.infer<typeof Events>['results'][number];

/** The last statuses of a resource, the newest first. @throws RequestError */
export const readEvents = async (path: string): Promise<readonly Event[]> =>
  Events.parse(await (await ask(`${path}/events`)).json()).results;

/** The fields of an answer about one resource that a row shows; the whole answer is shown as JSON. */
export const Resource = z.looseObject({
  id: z.string(),
  status: z.string(),
  status_message: z.optional(z.string()),
  instance_id: z.optional(z.string()),
  instance_type: z.optional(z.string()),
  task_arn: z.optional(z.string()),
  cluster_name: z.optional(z.string()),
  version: z.optional(z.string()),
  /** Of a container. */
  size: z.optional(z.object({ vcpus: z.number(), memory_mib: z.number() })),
  create_time: z.optional(z.string()),
  update_time: z.optional(z.string()),
});
export type Resource = z.infer<typeof Resource>;

/** The id or name that the AWS service gave it, as the overview has it. */
export const serviceIdOf = ({ instance_id, task_arn, cluster_name }: Resource): string | undefined =>
  instance_id ?? task_arn?.split('/').at(-1) ?? cluster_name;

/** As the overview has it. */
export const sizeOf = ({ instance_type, size, version }: Resource): string | undefined => {
  if (size !== undefined) return `${size.vcpus} vCPU, ${size.memory_mib} MiB`;
  return instance_type ?? (version === undefined ? undefined : `Kubernetes ${version}`);
};

export const readResource = async (path: string): Promise<Resource> =>
  Resource.parse(await (await ask(path)).json());

const Named = z.object({ id: z.string(), label: z.string() });
const Control = z.object({
  token: z.string(),
  nats: z.enum(['running', 'stopped', 'external']),
  faults: z.array(z.extend(Named, { about: z.string(), isOn: z.boolean() })),
  happenings: z.record(z.string(), z.array(Named)),
});
/** The state of a laptop's control server. */
export type Control = z.infer<typeof Control>;

const controlUrl = document.querySelector('meta[name=control]')?.getAttribute('content') ?? undefined;
export const isLaptop = controlUrl !== undefined;

/** @throws RequestError */
export const control = async (path: string, body?: unknown): Promise<Control> =>
  Control.parse(
    await (await send(`${controlUrl}${path}`, body === undefined ? {} : { method: 'POST', body })).json(),
  );
