import { Hono } from 'hono';
import { streamSSE } from 'hono/streaming';
import * as z from 'zod';

/** How one status event was consumed. */
export type Consumed = {
  /** 1 for the first event since the control plane started, then one more each. */
  readonly position: number;
  /** The row's id. Absent, like the other fields of the event, where the event could not be read. */
  readonly id?: string | undefined;
  /** As stored: lower case, trimmed. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  /** The CloudEvent's id. */
  readonly eventId?: string | undefined;
  /** The CloudEvent's extension `sequence`. */
  readonly sequence?: string | undefined;
  /** Sequence of the message in the stream. The same sequence twice is a redelivery. */
  readonly streamSeq: number;
  /** Counts the deliveries of the message from 1. */
  readonly deliveries: number;
  /** In milliseconds since 1970, on this machine's clock: when handling began, and when the database had answered. */
  readonly receivedAtMs: number;
  readonly appliedAtMs: number;
  /**
   * applied: the row was updated. added: the row was created. skipped: there is no such row. dropped: the event cannot be read.
   * nak: the database refused the event, which is redelivered until it does not; only the first refusal is recorded.
   */
  readonly outcome: 'applied' | 'added' | 'skipped' | 'dropped' | 'nak';
  /** Why it was not applied. */
  readonly reason?: string | undefined;
};

/** The events that a control plane has consumed, oldest first, in memory. */
export type History = {
  /** At most the last 10,000 events. */
  entries(): readonly Consumed[];
  record(consumed: Omit<Consumed, 'position'>): void;
  /** Calls the listener after each event, until the returned function is called. A listener must not throw. */
  onConsumed(listener: (consumed: Consumed) => void): () => void;
};

export const createHistory = (capacity = 10_000): History => {
  const recorded: Consumed[] = [];
  const listeners = new Set<(consumed: Consumed) => void>();
  let position = 0;
  return {
    entries: () => [...recorded],
    record: (consumed) => {
      position += 1;
      const entry = { position, ...consumed };
      recorded.push(entry);
      if (recorded.length > capacity) recorded.shift();
      for (const listener of listeners) listener(entry);
    },
    onConsumed: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};

/** Whether the event changed its row. */
export const hasReachedRow = ({ outcome }: Pick<Consumed, 'outcome'>): boolean =>
  outcome === 'applied' || outcome === 'added';

type Wanted = { readonly id: string; readonly status: string; readonly signal: AbortSignal };

/**
 * Waits for the event that brings a row to a status; resolves at once where the row's last event did. An earlier status of the row does
 * not count. `status` may be in any case.
 * @throws an Error with the row's statuses where `signal` aborts first.
 */
export const waitForStatus = (history: History, { id, status, signal }: Wanted): Promise<Consumed> => {
  const wanted = status.toLowerCase();
  const isOfRow = (consumed: Consumed) => consumed.id === id && hasReachedRow(consumed);
  const last = history.entries().findLast(isOfRow);
  if (last?.status === wanted) return Promise.resolve(last);
  return new Promise((resolve, reject) => {
    const stop = history.onConsumed((consumed) => {
      if (!isOfRow(consumed) || consumed.status !== wanted) return;
      stop();
      resolve(consumed);
    });
    const giveUp = () => {
      stop();
      const seen = history
        .entries()
        .filter(isOfRow)
        .map((consumed) => consumed.status);
      const error = `Row ${id} did not become ${wanted}; its statuses were: ${seen.join(', ') || 'none'}.`;
      reject(new Error(error, { cause: signal.reason }));
    };
    if (signal.aborted) giveUp();
    else signal.addEventListener('abort', giveUp, { once: true });
  });
};

/** The status events that a control plane consumes, for tests and the terminal. */
export type Watched = {
  /** The last 10,000 events, as they were consumed. */
  history(): readonly Consumed[];
  /** Calls the listener after each event, whatever its outcome, until the returned function is called. A listener must not throw. */
  onConsumed(listener: (consumed: Consumed) => void): () => void;
  /** The same for events that changed their row. */
  onApplied(listener: (consumed: Consumed) => void): () => void;
  /** Waits for the event that brings the row to this status. @throws where none does within `timeoutMs`. */
  waitFor(id: string, status: string, timeoutMs: number): Promise<Consumed>;
};

/** Disposing ends every wait. */
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
 * `GET /events`: the consumed events, and then each new one, as server-sent events. The id of each is its position; `?since=` or a
 * browser's `Last-Event-ID` is the last position that the client has. A position that does not exist yet means all events, because the
 * control plane was restarted.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html
 */
export const events = (history: History): Hono =>
  new Hono().get('/', (context) =>
    streamSSE(context, async (stream) => {
      const closed = new AbortController();
      stream.onAbort(() => closed.abort());
      const since = Since.parse(context.req.header('last-event-id') ?? context.req.query('since'));
      for await (const consumed of consumedAfter(history, since, closed.signal))
        await stream.writeSSE({ id: String(consumed.position), data: JSON.stringify(consumed) });
    }),
  );

async function* consumedAfter(history: History, position: number, closed: AbortSignal) {
  let wake = () => {};
  const stop = history.onConsumed(() => wake());
  closed.addEventListener('abort', () => wake());
  const latest = history.entries().at(-1)?.position ?? 0;
  let seen = position > latest ? 0 : position;
  try {
    while (!closed.aborted) {
      const newEvents = history.entries().filter((consumed) => consumed.position > seen);
      yield* newEvents;
      seen = newEvents.at(-1)?.position ?? seen;
      if (newEvents.length === 0) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stop();
  }
}
