import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { Collection } from '../../../shared/core/inventory/entry.ts';
import { ServiceType } from '../../../shared/core/kind.ts';
import { contentOf, reached, refusal, requestOf } from '../api.ts';
import { type Api, checkTarget } from '../configuration.ts';
import type { Action, Context } from '../context.ts';
import { ConnectionError, open, type Stream, TimeoutError } from '../http.ts';
import { type Column, cell, table } from '../output.ts';
import { CommandError, exitCodes, UsageError } from '../terminal.ts';
import { tint } from './resources.ts';

const Options = z.object({
  ...{ type: z.optional(z.string()), id: z.optional(z.string()) },
  ...{ all: z.optional(z.boolean()), inventory: z.optional(z.boolean()) },
  ...{ after: z.optional(z.string()), limit: z.optional(z.string()) },
});
type Options = z.infer<typeof Options>;

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

/** Prints each change of the feed: one line each, or, on a terminal, a table of the newest change of each resource. */
export const watch: Action = async (context, { options }) => {
  const given = Options.parse(options);
  const most = given.limit === undefined ? Number.POSITIVE_INFINITY : wholeNumber(given.limit);
  const isWanted = filterOf(given, context.configuration.target);
  const api = await context.configuration.feed();
  const show = await shower(context);
  try {
    let shown = 0;
    for await (const change of changesOf(context, show, { api, after: given.after })) {
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

const wholeNumber = (given: string): number => {
  if (/^[1-9]\d*$/.test(given)) return Number(given);
  throw new UsageError(`--limit is ${given}: expected a whole number from 1`);
};

/** Which changes are shown. @throws UsageError */
const filterOf = (
  { type, id, all = false, inventory = false }: Options,
  target: string | undefined,
): ((change: Change) => boolean) => {
  if (all && inventory) throw new UsageError('--all and --inventory contradict each other: give one of them');
  if (type !== undefined && !inventory && !ServiceType.safeParse(type).success)
    throw new UsageError(
      `--type is ${type}: expected vm, container or cluster, or a collection together with --inventory`,
    );
  if (type !== undefined && inventory && !Collection.safeParse(type).success)
    throw new UsageError(
      `--type is ${type}: expected, with --inventory, one of ${Collection.options.join(', ')}`,
    );
  if (target !== undefined) checkTarget(target);
  return (change) => {
    const isStatus = change.kind === 'status';
    const [ofType, ofId] = isStatus ? [change.serviceType, change.dcmId] : [change.collection, change.id];
    return (
      (isStatus ? !inventory : all || inventory) &&
      (type === undefined || ofType === type) &&
      (id === undefined || ofId === id) &&
      (target === undefined || change.target === target)
    );
  };
};

type Shower = {
  readonly change: (change: Change) => Promise<void>;
  /** The feed is connected. */
  readonly live: () => void;
  /** Says something about the connection. */
  readonly notice: (text: string) => void;
  readonly end: () => void;
};

const shower = async (context: Context): Promise<Shower> => {
  const { talk, configuration, terminal } = context;
  const format = await configuration.format();
  const lines = (change: Shower['change']): Shower => ({
    ...{ change, notice: talk.say, live: () => undefined, end: () => undefined },
  });
  if (format === 'json') return lines(async (change) => talk.print(`${JSON.stringify(change)}\n`));
  if (format === 'yaml') {
    const { yaml } = await import('../output.ts');
    return lines(async (change) => talk.print(`---\n${await yaml(change)}`));
  }
  const paint = tint(context);
  if (!talk.isLive) return lines(async (change) => talk.print(lineOf(change, paint)));
  const { createLogUpdate } = await import('log-update');
  return liveTable(context, createLogUpdate(terminal.stdout));
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

/** A change as a row. Changes of the inventory have no time and no message. */
const rowOf = (change: Change) =>
  change.kind === 'status'
    ? { ...change, type: change.serviceType, id: change.dcmId }
    : { ...change, type: change.collection, time: '', status: change.change, message: '' };
type Row = ReturnType<typeof rowOf>;

const columns: readonly Column<Row>[] = [
  ['TIME', ({ time }) => time],
  ['TARGET', ({ target }) => target],
  ['TYPE', ({ type }) => type],
  ['ID', ({ id }) => id],
  ['STATUS', ({ status }) => status],
];

/** The newest first, as many as a terminal of usual height shows. */
const mostRows = 20;
const usualTerminal = { columns: 80, rows: 24 };
/** The line about the connection, the headings, and the line of the cursor. */
const otherLines = 3;

type Draw = { (text: string): void; readonly clear: () => void; readonly done: () => void };

const liveTable = (context: Context, draw: Draw): Shower => {
  const newest = new Map<string, Row>();
  const paint = tint(context);
  let connection = '';
  const redraw = () => {
    const { columns: width = usualTerminal.columns, rows: height = usualTerminal.rows } =
      context.terminal.stdout;
    const rows = [...newest.values()].toReversed().slice(0, Math.min(mostRows, height - otherLines));
    const left = width - widthOf(table(columns, rows)) - 2;
    const message: Column<Row> = ['MESSAGE', (row) => cell(row.message).slice(0, Math.max(left, 0))];
    const shown = left < 'MESSAGE'.length ? columns : [...columns, message];
    const text = rows.length === 0 ? 'Nothing has changed since the start.' : table(shown, rows, paint);
    draw.clear(); // else its version 7.2.0 loses the last rows where one is inserted above them
    draw(`${connection}\n${text.trimEnd()}`);
  };
  const say = (text: string) => {
    connection = text;
    redraw();
  };
  return {
    change: async (change) => {
      const row = rowOf(change);
      const key = JSON.stringify([row.target, row.type, row.id]);
      newest.delete(key); // so that it becomes the last one
      newest.set(key, row);
      redraw();
    },
    live: () => say('Live. Ctrl-C ends this.'),
    notice: say,
    end: () => draw.done(),
  };
};

const widthOf = (lines: string): number => Math.max(...lines.split('\n').map((line) => line.length));

type Following = { readonly api: Api; readonly after: string | undefined };

/**
 * All changes after a cursor, or from now on, without end: by server-sent events, or by polling where the server answers with a page. A broken
 * connection is made again after the last change that arrived, so that none is missed.
 * @throws CommandError where the feed refuses, or cannot be reached at the start
 */
async function* changesOf(context: Context, show: Shower, { api, after }: Following): AsyncGenerator<Change> {
  const connection = connectionTo(context, show, api);
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
const connectionTo = (context: Context, show: Shower, api: Api) => {
  let failures = 0;
  let isGone = false;

  const ask = async (cursor: string | undefined, run: typeof reached): Promise<Stream> => {
    const request = await requestOf(context, api, {
      path: 'api/v1alpha1/changes',
      query: { after: cursor, wait: waitSeconds },
      headers: { accept: 'text/event-stream, application/json' },
    });
    const timeoutMs = Math.max(request.timeoutMs, idleMs); // the feed may wait before it answers
    return run({ ...request, timeoutMs }, (one) => open(one, idleMs));
  };

  const refusalOf = async (stream: Stream): Promise<CommandError> => {
    const error = refusal({ ...stream, text: await whole(stream) });
    if (stream.status !== 404) return error;
    return new CommandError(
      'This deployment has no feed of changes: its settings have neither inventory nor console (docs/configuration.md).',
      { exitCode: exitCodes.notFound, cause: error },
    );
  };

  /** Where the changes after the cursor are no longer kept, from now on. `isAgain`: what may pass is an error of the connection. */
  const connect = async (
    cursor: string | undefined,
    { run, isAgain }: { readonly run: typeof reached; readonly isAgain: boolean },
  ): Promise<Stream> => {
    const asked = await ask(cursor, run);
    isGone = asked.status === 410 && cursor !== undefined;
    const stream = isGone ? await ask(undefined, run) : asked;
    if (stream.status < 400) return stream;
    const error = await refusalOf(stream);
    throw isAgain && mayPass(stream) ? new ConnectionError(error.message.replace(/\.$/, '')) : error;
  };

  /** @throws the error where it is not about the connection */
  function isLost(error: unknown): void {
    if (!(error instanceof ConnectionError || error instanceof TimeoutError)) throw error;
    if (failures === 0)
      show.notice(`Not live since ${new Date().toISOString()}: ${error.message}. Connecting again.`);
    failures += 1;
  }

  function isConnected(): void {
    if (isGone)
      show.notice(
        'Some changes may be missing: those after the last one that arrived are no longer kept. Live again, from now on.',
      );
    else if (failures > 0) show.notice('Live again; nothing was missed.');
    else show.live();
    failures = 0;
  }

  return {
    isLost,
    async first(cursor: string | undefined): Promise<Stream> {
      const stream = await connect(cursor, { run: reached, isAgain: false });
      isConnected();
      return stream;
    },
    /** As often as needed, with growing pauses. */
    async again(cursor: string | undefined): Promise<Stream> {
      for (;;) {
        try {
          const stream = await connect(cursor, { run: (request, run) => run(request), isAgain: true });
          if (failures > 0 || isGone) isConnected();
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

/** Whether the server answers, but cannot serve the feed at the moment. */
const mayPass = ({ status }: Stream): boolean => status >= 500 || status === 429;

/** `next`: the cursor to read on from. */
type Read = {
  readonly change?: Change;
  readonly next?: string | undefined;
  readonly pollAfterMs?: number;
};

async function* readStream(stream: Stream): AsyncGenerator<Read> {
  if (!stream.header('content-type')?.startsWith('text/event-stream')) {
    const { changes, next, pollAfterMs } = contentOf(Page, { text: await whole(stream) });
    for (const change of changes) yield { change, next: change.cursor };
    yield { next, pollAfterMs };
    return;
  }
  for await (const { id, data, retry } of eventsIn(stream.parts)) {
    if (retry !== undefined) yield { pollAfterMs: retry };
    if (data === '') yield { next: id };
    else {
      const change = contentOf(Change, { text: data });
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
