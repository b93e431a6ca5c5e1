import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { type Accounts, loggedTarget, targetOfKey } from '../core/target.ts';
import type { ChangeFeed, FeedPage, NumberedChange } from '../ports/change-feed.ts';
import type { Clock } from '../ports/clock.ts';
import type { Log } from '../ports/telemetry.ts';
import { ChangesAnswer } from '../wire/changes.ts';
import { changesPath } from '../wire/public-paths.ts';
import { type Call, integerParameter, type Operation, operationsOf, type ResourceIds } from './operation.ts';

type Parts = {
  readonly feed: Pick<ChangeFeed, 'read'>;
  /** Answers name targets by the aliases in it. */
  readonly accounts: Accounts;
  /**
   * Whether the host sends an answer while it is being made, and tells when the client leaves. A function behind API Gateway's HTTP API does
   * not: there an event stream ends with the first changes, and the client connects again.
   * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-vs-rest.html (response streaming)
   */
  readonly streams: boolean;
  readonly now: Clock;
  readonly log: Pick<Log, 'warn'>;
  /** Waits; rejects where the signal is aborted meanwhile. */
  readonly pause?: (ms: number, signal?: AbortSignal) => Promise<unknown>;
};

const defaultLimit = 100;
const maximumLimit = 1000;
/** API Gateway's HTTP API gives an integration 30 s. */
const maximumWaitSeconds = 20;
/** Credentials are checked only when an event stream begins, so the client has to connect again. */
const connectionMs = 3_600_000;
const heartbeatMs = 15_000;

const Query = z.object({
  after: z.optional(
    z
      .string()
      .check(
        z.maxLength(200),
        z.describe(
          'A cursor of this feed: the changes after it. Absent: none, and `next` is the newest cursor.',
        ),
      ),
  ),
  limit: z
    ._default(integerParameter(1, maximumLimit), defaultLimit)
    .check(z.describe(`How many changes at most: 1 to ${maximumLimit}, ${defaultLimit} by default.`)),
  wait: z
    ._default(integerParameter(0, maximumWaitSeconds), 0)
    .check(
      z.describe(`How many seconds to wait for a change where there is none: 0 to ${maximumWaitSeconds}.`),
    ),
});
type Query = z.output<typeof Query>;

/** What the operation needs of an API's use cases. */
export type ReadsChanges = {
  readonly readChanges: (query: Query, call: Pick<Call<unknown>, 'header' | 'permits'>) => Promise<Response>;
};

/** `GET /api/v1alpha1/changes`, for any API whose use cases have `readChanges`. */
export const changesOperation = <UseCases extends ReadsChanges>(ids: ResourceIds): Operation<UseCases> =>
  operationsOf<UseCases>(ids)({
    operationId: 'readChanges',
    method: 'GET',
    path: changesPath,
    summary: 'Read what has changed',
    description:
      'All changes of statuses and of the inventory, in one order without gaps, kept for seven days. Begin without `after`, read everything, then read on from `next`. With `Accept: text/event-stream`, server-sent events whose ids are the cursors; where the host cannot stream, they end with the first changes, and `EventSource` connects again.',
    headers: {
      'If-None-Match':
        'The `ETag` of an answer without further changes: 304, with the header `pollAfterMs`, while there are none.',
      'Last-Event-ID': 'Of an event stream: as `after`, and before it.',
    },
    query: Query,
    status: 200,
    answered: 'The changes after the cursor, oldest first.',
    othersAnswered: { 304: 'There are no further changes, by its `If-None-Match`.' },
    answer: ChangesAnswer,
    alsoAnsweredAs: ['text/event-stream'],
    problems: ['gone'],
    run: ({ readChanges }, { query, ...call }) => readChanges(query, call),
  });

/** Answers changes as JSON, or as server-sent events. */
export const readChanges = (parts: Parts): ReadsChanges['readChanges'] => {
  const { accounts, now, pause = pausing } = parts;
  const feed = namedFeed(parts.feed, accounts);
  const stream = eventStream({ ...parts, feed });

  return async ({ after, limit, wait }, { header }) => {
    if (accepts(header('accept'), 'text/event-stream'))
      return stream({ after: header('last-event-id') || after, limit, waitMs: wait * 1000 });
    const untilMs = now() + wait * 1000;
    const known = tagsIn(header('if-none-match'));
    const from = after ?? known.find((tag) => tag !== '*');
    let page = await feed.read(from, limit);
    while (from !== undefined && isEmpty(page) && now() < untilMs) {
      await pause(Math.min(pollAfterMs(page, now()), Math.max(untilMs - now(), 1)));
      page = await feed.read(from, limit);
    }
    const poll = pollAfterMs(page, now());
    const headers = { etag: `"${page.next}"`, pollAfterMs: String(poll) };
    const isKnown = isEmpty(page) && known.includes(page.next);
    if (isKnown || known.includes('*')) return new Response(undefined, { status: 304, headers });
    return Response.json({ ...answerOf(page), pollAfterMs: poll }, { headers });
  };
};

/** The feed has keys of targets; readers know them by name. */
const namedFeed = (feed: Parts['feed'], accounts: Accounts): Parts['feed'] => ({
  async read(after, limit) {
    const page = await feed.read(after, limit);
    const changes = page.changes.map(({ cursor: at, change }) => ({
      cursor: at,
      change: { ...change, target: loggedTarget(accounts, targetOfKey(change.target)) },
    }));
    return { ...page, changes };
  },
});

const pausing = (ms: number, signal?: AbortSignal) => sleep(ms, undefined, { signal });

const isEmpty = ({ changes }: FeedPage): boolean => changes.length === 0;

const answerOf = ({ changes, next, complete }: FeedPage) => ({
  changes: changes.map((one) => ({ cursor: one.cursor, ...one.change })),
  next,
  complete,
});

/** At once where there is more; each second while something has moved in the last minute. */
const pollAfterMs = ({ complete, movedAtMs }: FeedPage, nowMs: number): number => {
  if (!complete) return 0;
  return nowMs - movedAtMs < 60_000 ? 1000 : 5000;
};

const accepts = (accept = '', type: string): boolean =>
  accept.split(',').some((one) => one.split(';')[0]?.trim().toLowerCase() === type);

/** Weak tags count too: intermediaries that compress make them weak. */
const tagsIn = (ifNoneMatch = ''): string[] =>
  ifNoneMatch.split(',').flatMap((one) => {
    const tag = one
      .trim()
      .replace(/^W\//, '')
      .replace(/^"(.*)"$/, '$1');
    return tag === '' ? [] : [tag];
  });

type Following = { readonly after: string | undefined; readonly limit: number; readonly waitMs: number };

/**
 * Changes as server-sent events, until the client leaves, for an hour at most; it then connects again, with the id of the last event. A page is
 * read only when the client has taken the one before. The first page is read before the answer begins, so that a wrong or old cursor is a
 * problem like any other.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
const eventStream =
  ({ feed, streams, now, log, pause = pausing }: Omit<Parts, 'accounts'>) =>
  async ({ after, limit, waitMs }: Following): Promise<Response> => {
    const endMs = now() + (streams ? connectionMs : waitMs);
    const first = await feed.read(after, limit);
    const left = new AbortController();
    const { signal } = left;

    async function* pages(): AsyncGenerator<FeedPage> {
      let page = first;
      yield page;
      while (now() < endMs) {
        if (page.complete) await pause(Math.min(1000, endMs - now()), signal);
        signal.throwIfAborted();
        page = await feed.read(page.next, limit);
        yield page;
      }
    }

    const text = textOf(pages(), { beginning: beginningOf(first, after, now()), streams, now });
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        try {
          const { value, done } = await text.next();
          if (done) controller.close();
          else controller.enqueue(Buffer.from(value));
        } catch (error) {
          if (signal.aborted) return;
          log.warn('an event stream ended early; the client connects again', { error });
          controller.close();
        }
      },
      cancel() {
        left.abort();
      },
    });
    return new Response(body, { headers: { 'content-type': 'text/event-stream; charset=utf-8' } });
  };

type Writing = Pick<Parts, 'streams' | 'now'> & { readonly beginning: string };

async function* textOf(
  pages: AsyncIterable<FeedPage>,
  { beginning, streams, now }: Writing,
): AsyncGenerator<string> {
  let writtenAtMs = now();
  yield beginning;
  for await (const page of pages) {
    const isDue = !isEmpty(page) || now() - writtenAtMs >= heartbeatMs;
    if (!isDue) continue;
    yield isEmpty(page) ? `: still connected\n${idOf(page)}\n` : page.changes.map(eventOf).join('');
    writtenAtMs = now();
    if (!(streams || isEmpty(page))) return;
  }
}

/** When the client connects again, and, where nothing follows, from where: cursors do not last for ever. */
const beginningOf = (page: FeedPage, after: string | undefined, nowMs: number): string => {
  const retry = `retry: ${Math.max(pollAfterMs(page, nowMs), 1000)}\n`;
  return `${retry}${isEmpty(page) && page.next !== after ? idOf(page) : ''}\n`;
};

const idOf = ({ next }: FeedPage): string => `id: ${next}\n`;

/** Without a name, so that `onmessage` gets it. */
const eventOf = ({ cursor: id, change }: NumberedChange): string =>
  `id: ${id}\ndata: ${JSON.stringify({ cursor: id, ...change })}\n\n`;
