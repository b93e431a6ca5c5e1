import { type Consumed, type History, hasReachedRow } from './history.ts';

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
