import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod';

/** How one status event was consumed. */
export type Consumed = {
  /** 1 for the first event since the control plane started, then one more each. */
  readonly position: number;
  /** The row's id. This and the other words of the event are absent where it could not be read. */
  readonly id?: string | undefined;
  /** As stored: lower case, trimmed. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  /** The CloudEvent's id. */
  readonly eventId?: string | undefined;
  /** The CloudEvent's extension `sequence`. */
  readonly sequence?: string | undefined;
  /** The message's place in the stream. The same one twice is a redelivery. */
  readonly streamSeq: number;
  /** Which delivery of the message this was, from 1. */
  readonly deliveries: number;
  /** Milliseconds since 1970 on this machine's clock: when it was taken up, and when the database had answered. */
  readonly receivedAtMs: number;
  readonly appliedAtMs: number;
  /**
   * applied: the row has it. added: it made the row. skipped: no such row. dropped: not readable.
   * nak: the database refused it, so it is delivered again for as long as that lasts; only the first refusal is kept.
   */
  readonly outcome: 'applied' | 'added' | 'skipped' | 'dropped' | 'nak';
  /** Why it was not applied. */
  readonly reason?: string | undefined;
};

/** What was consumed so far, oldest first; in memory. */
export type History = {
  /** At most the last 10,000. */
  entries(): readonly Consumed[];
  record(consumed: Omit<Consumed, 'position'>): void;
  /** Tells of each event once it is consumed, until the returned function is called. A listener must not throw. */
  onConsumed(listener: (consumed: Consumed) => void): () => void;
};

export const keepHistory = (capacity = 10_000): History => {
  const kept: Consumed[] = [];
  const listeners = new Set<(consumed: Consumed) => void>();
  let position = 0;
  return {
    entries: () => [...kept],
    record: (consumed) => {
      position += 1;
      const entry = { position, ...consumed };
      kept.push(entry);
      if (kept.length > capacity) kept.shift();
      for (const listener of listeners) listener(entry);
    },
    onConsumed: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};

/** Did the event reach its row? */
export const hasReachedRow = ({ outcome }: Pick<Consumed, 'outcome'>): boolean =>
  outcome === 'applied' || outcome === 'added';

type Wanted = { readonly id: string; readonly status: string; readonly signal: AbortSignal };

/**
 * The event that brought a row to a status: the row's last one, or else the next that does. A status that the row had
 * and left does not count. The status may be written in any case.
 * @throws where the signal comes first, telling what the row went through.
 */
export const waitForStatus = (history: History, { id, status, signal }: Wanted): Promise<Consumed> => {
  const wanted = status.toLowerCase();
  const ofRow = (consumed: Consumed) => consumed.id === id && hasReachedRow(consumed);
  const last = history.entries().findLast(ofRow);
  if (last?.status === wanted) return Promise.resolve(last);
  return new Promise((resolve, reject) => {
    const stop = history.onConsumed((consumed) => {
      if (!ofRow(consumed) || consumed.status !== wanted) return;
      stop();
      resolve(consumed);
    });
    const giveUp = () => {
      stop();
      const seen = history
        .entries()
        .filter(ofRow)
        .map((consumed) => consumed.status);
      const error = `Row ${id} is not ${wanted}; it went through: ${seen.join(', ') || 'nothing'}.`;
      reject(new Error(error, { cause: signal.reason }));
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
};

/** A control plane's consumption of status events, as tests and the terminal follow it. */
export type Watched = {
  /** The last 10,000 events, as they were consumed. */
  history(): readonly Consumed[];
  /** Calls the listener with each event once it is consumed, whatever became of it, until the returned function is called. A listener must not throw. */
  onConsumed(listener: (consumed: Consumed) => void): () => void;
  /** The same with those events only that reached their row. */
  onApplied(listener: (consumed: Consumed) => void): () => void;
  /** The event that brought the row to this status, now or within the time. @throws where none does. */
  waitFor(id: string, status: string, timeoutMs: number): Promise<Consumed>;
};

/** Disposing of it ends every wait. */
export const watch = (history: History): Watched & AsyncDisposable => {
  const stopping = new AbortController();
  return {
    history: history.entries,
    onConsumed: history.onConsumed,
    onApplied: (listener) => history.onConsumed((consumed) => hasReachedRow(consumed) && listener(consumed)),
    waitFor: (id, status, timeoutMs) => {
      const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), stopping.signal]);
      return waitForStatus(history, { id, status, signal });
    },
    [Symbol.asyncDispose]: async () => stopping.abort(),
  };
};

const Since = z.coerce.number().int().catch(0);

/**
 * `GET /events`: what was consumed, and from then on what is being consumed, as server-sent events. The id of each is its
 * position; `?since=` or a browser's `Last-Event-ID` is the position seen last. One that was not reached yet means all:
 * the control plane was started again.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const events = (history: History): Hono =>
  new Hono().get('/', (context) =>
    streamSSE(context, async (stream) => {
      const gone = new AbortController();
      stream.onAbort(() => gone.abort());
      const since = Since.parse(context.req.header('last-event-id') ?? context.req.query('since'));
      for await (const consumed of consumedAfter(history, since, gone.signal))
        await stream.writeSSE({ id: String(consumed.position), data: JSON.stringify(consumed) });
    }),
  );

async function* consumedAfter(history: History, position: number, gone: AbortSignal) {
  let wake = () => {};
  const stop = history.onConsumed(() => wake());
  gone.addEventListener('abort', () => wake());
  const latest = history.entries().at(-1)?.position ?? 0;
  let seen = position > latest ? 0 : position;
  try {
    while (!gone.aborted) {
      const news = history.entries().filter((consumed) => consumed.position > seen);
      yield* news;
      seen = news.at(-1)?.position ?? seen;
      if (news.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
