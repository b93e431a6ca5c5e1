import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { reached, refusal, requestOf } from '../api.ts';
import type { Api } from '../configuration.ts';
import type { Action, Context } from '../context.ts';
import { ConnectionError, open, type Stream, TimeoutError } from '../http.ts';
import { cell, table } from '../output.ts';
import { UsageError } from '../terminal.ts';
import { tint } from './resources.ts';

const Options = z.object({
  type: z.optional(z.string()),
  id: z.optional(z.string()),
  all: z.optional(z.boolean()),
  after: z.optional(z.string()),
  limit: z.optional(z.string()),
});

const Change = z.discriminatedUnion('kind', [
  z.object({
    ...{ cursor: z.string(), kind: z.literal('status'), dcmId: z.string(), serviceType: z.string() },
    ...{ target: z.string(), status: z.string(), message: z.optional(z.string()), time: z.string() },
  }),
  z.object({
    ...{ cursor: z.string(), kind: z.literal('inventory'), target: z.string(), collection: z.string() },
    ...{ change: z.string(), id: z.optional(z.string()) },
  }),
]);
type Change = z.infer<typeof Change>;

const Page = z.object({ changes: z.array(Change), next: z.string(), pollAfterMs: z.int() });

/** The feed answers an idle stream with a comment every 15 s. */
const idleMs = 40_000;
const waitSeconds = '20';
const shortestPauseMs = 1_000;
const longestPauseMs = 15_000;

/** Prints each change of the feed: one line each, or, on a terminal, a table of the newest status of each resource. */
export const watch: Action = async (context, { options }) => {
  const { type, id, all, after, limit } = Options.parse(options);
  const most = limit === undefined ? Number.POSITIVE_INFINITY : Number(limit);
  if (!(most >= 1)) throw new UsageError(`--limit is ${limit}: expected a whole number from 1`);
  const isWanted = (change: Change): boolean =>
    change.kind === 'inventory'
      ? all === true && type === undefined && (id === undefined || change.id === id)
      : (type === undefined || change.serviceType === type) && (id === undefined || change.dcmId === id);
  const api = await feedOf(context);
  const show = await shower(context);
  try {
    let shown = 0;
    for await (const change of changesOf(context, api, after)) {
      if (!isWanted(change)) continue;
      await show.change(change);
      shown += 1;
      if (shown >= most) return undefined;
    }
    return undefined;
  } finally {
    show.end();
  }
};

/** The inventory's API has the feed. */
const feedOf = ({ configuration }: Context): Promise<Api> => configuration.inventory();

type Shower = { readonly change: (change: Change) => Promise<void>; readonly end: () => void };

const shower = async (context: Context): Promise<Shower> => {
  const { talk, configuration, terminal } = context;
  const format = await configuration.format();
  if (format === 'json')
    return {
      change: async (change) => talk.print(`${JSON.stringify(change)}\n`),
      end: () => undefined,
    };
  if (format === 'yaml') {
    const { yaml } = await import('../output.ts');
    return { change: async (change) => talk.print(`---\n${await yaml(change)}`), end: () => undefined };
  }
  if (talk.isLive) {
    const { createLogUpdate } = await import('log-update');
    return liveTable(context, createLogUpdate(terminal.stdout));
  }
  const paint = tint(context);
  return { change: async (change) => talk.print(lineOf(change, paint)), end: () => undefined };
};

const lineOf = (change: Change, paint: ReturnType<typeof tint>): string => {
  if (change.kind === 'inventory') {
    const { target, collection, change: what, id } = change;
    return `${[target, collection, what, id].map(cell).join('  ').trimEnd()}\n`;
  }
  const { time, target, serviceType, dcmId, status, message } = change;
  const shown = paint(cell(status), 'STATUS');
  return `${[time, target, serviceType, dcmId].map(cell).join('  ')}  ${shown}  ${cell(message)}\n`;
};

type StatusChange = Extract<Change, { kind: 'status' }>;

/** The newest first, as many as a terminal of usual height shows. */
const mostRows = 20;

const liveTable = (context: Context, draw: { (text: string): void; readonly done: () => void }): Shower => {
  const newest = new Map<string, StatusChange>();
  const paint = tint(context);
  const columns = [
    ['TIME', ({ time }: StatusChange) => time],
    ['TARGET', ({ target }: StatusChange) => target],
    ['TYPE', ({ serviceType }: StatusChange) => serviceType],
    ['ID', ({ dcmId }: StatusChange) => dcmId],
    ['STATUS', ({ status }: StatusChange) => status],
    ['MESSAGE', ({ message }: StatusChange) => message],
  ] as const;
  const redraw = () =>
    draw(
      newest.size === 0
        ? 'Live. Nothing has changed since the start. Ctrl-C ends this.'
        : table(columns, [...newest.values()].toReversed().slice(0, mostRows), paint).trimEnd(),
    );
  redraw();
  return {
    change: async (change) => {
      if (change.kind === 'inventory') return;
      newest.delete(change.dcmId); // so that it becomes the last one
      newest.set(change.dcmId, change);
      redraw();
    },
    end: () => draw.done(),
  };
};

/**
 * All changes after a cursor, or from now on, without end: by server-sent events, or by polling where the server answers with a page. A broken
 * connection is made again after the last change that arrived, so that none is missed.
 * @throws CommandError where the feed refuses, or cannot be reached at the start
 */
async function* changesOf(context: Context, api: Api, after: string | undefined): AsyncGenerator<Change> {
  const connection = connectionTo(context, api);
  let cursor = after;
  let stream = await context.talk.during('Connecting to the feed', () => connection.first(cursor));
  for (;;) {
    let pauseMs = shortestPauseMs;
    try {
      for await (const { change, next, pollAfterMs } of readStream(stream)) {
        cursor = next ?? cursor;
        pauseMs = pollAfterMs ?? pauseMs;
        if (change) yield change;
      }
    } catch (error) {
      connection.isLost(error);
    }
    await sleep(pauseMs, undefined, { signal: context.terminal.interrupted });
    stream = await connection.again(cursor);
  }
}

/** Connects to the feed, and says while it is not connected. */
const connectionTo = (context: Context, api: Api) => {
  const { say } = context.talk;
  let failures = 0;

  const connect = async (cursor: string | undefined, run: typeof reached): Promise<Stream> => {
    const request = await requestOf(context, api, {
      path: 'api/v1alpha1/changes',
      query: { after: cursor, wait: waitSeconds },
      headers: { accept: 'text/event-stream, application/json' },
    });
    const timeoutMs = Math.max(request.timeoutMs, idleMs); // the feed may wait before it answers
    const stream = await run({ ...request, timeoutMs }, (one) => open(one, idleMs));
    if (stream.status >= 400) throw refusal({ ...stream, text: await whole(stream) });
    return stream;
  };

  /** @throws the error where it is not about the connection */
  function isLost(error: unknown): void {
    if (!(error instanceof ConnectionError || error instanceof TimeoutError)) throw error;
    if (failures === 0)
      say(`Not live since ${new Date().toISOString()}: ${error.message}. Connecting again.`);
    failures += 1;
  }

  return {
    isLost,
    first: (cursor: string | undefined) => connect(cursor, reached),
    /** As often as needed, with growing pauses. */
    async again(cursor: string | undefined): Promise<Stream> {
      for (;;) {
        try {
          const stream = await connect(cursor, (request, run) => run(request));
          if (failures > 0) say('Live again; nothing was missed.');
          failures = 0;
          return stream;
        } catch (error) {
          isLost(error);
          const pauseMs = Math.min(shortestPauseMs * 2 ** failures, longestPauseMs);
          await sleep(pauseMs, undefined, { signal: context.terminal.interrupted });
        }
      }
    },
  };
};

/** `next`: the cursor to read on from. */
type Read = {
  readonly change?: Change;
  readonly next?: string | undefined;
  readonly pollAfterMs?: number;
};

async function* readStream(stream: Stream): AsyncGenerator<Read> {
  if (!stream.header('content-type')?.startsWith('text/event-stream')) {
    const { changes, next, pollAfterMs } = Page.parse(JSON.parse(await whole(stream)));
    for (const change of changes) yield { change, next: change.cursor };
    yield { next, pollAfterMs };
    return;
  }
  for await (const { id, data, retry } of eventsIn(stream.parts)) {
    if (retry !== undefined) yield { pollAfterMs: retry };
    if (data === '') yield { next: id };
    else {
      const change = Change.parse(JSON.parse(data));
      yield { change, next: id ?? change.cursor };
    }
  }
}

const whole = async ({ parts }: Stream): Promise<string> => {
  let text = '';
  for await (const part of parts) text += part;
  return text;
};

type ServerEvent = { id?: string; data: string; retry?: number };

/** @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation */
async function* eventsIn(parts: AsyncIterable<string>): AsyncGenerator<ServerEvent> {
  let rest = '';
  for await (const part of parts) {
    const blocks = (rest + part).split(/\r?\n\r?\n/);
    rest = blocks.pop() ?? '';
    for (const block of blocks) yield eventOf(block);
  }
}

const eventOf = (block: string): ServerEvent => {
  const event: ServerEvent = { data: '' };
  for (const line of block.split(/\r?\n/)) {
    const [, field, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (field === 'id') event.id = value;
    if (field === 'retry') event.retry = Number(value);
    if (field === 'data') event.data += value;
  }
  return event;
};
