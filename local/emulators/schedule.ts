import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../shared/core/errors.ts';

type Options = {
  readonly everyMs: number;
  /** A rejection is logged, and the schedule continues. */
  readonly invoke: () => Promise<unknown>;
  /** Called for failures. */
  readonly log: (line: string) => void;
};

/** An EventBridge schedule: invokes once in each period, first after one period. Disposing waits for an invocation that is under way. */
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
