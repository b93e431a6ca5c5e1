import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../shared/core/errors.ts';

type Options = {
  readonly everyMs: number;
  /** Rejects where it failed: the next time comes all the same. */
  readonly invoke: () => Promise<unknown>;
  /** Hears of failures. */
  readonly log: (line: string) => void;
};

/** An EventBridge schedule: invokes at every period, the first time after one. Disposing waits for what is under way. */
export const startSchedule = ({ everyMs, invoke, log }: Options): AsyncDisposable => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const invocations = (async () => {
    while (!signal.aborted) {
      await sleep(everyMs, undefined, { signal }).catch(() => {});
      if (!signal.aborted) await invoke().catch((error) => log(reasonOf(error)));
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await invocations;
    },
  };
};
