import { setImmediate as turn } from 'node:timers/promises';
import { ProviderError, UnavailableError } from '../../shared/core/errors.ts';

export type Faults = {
  /** A whole number from 0 to below `n`. */
  below(n: number): number;
  shuffled<Item>(items: readonly Item[]): Item[];
  /** True at the fault rate. */
  strikes(): boolean;
};

/** Faults from a seed (mulberry32), so that a failing run can be repeated. */
export const randomFaults = (seed: number, rate: number): Faults => {
  let state = seed | 0;
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (n: number) => Math.floor(random() * n);
  return {
    below,
    strikes: () => random() < rate,
    shuffled: (items) =>
      items
        .map((item) => ({ item, key: random() }))
        .sort((a, b) => a.key - b.key)
        .map(({ item }) => item),
  };
};

/**
 * Wraps a port: its calls take a random number of event-loop turns and fail at random, before they have any effect, or after it, when only
 * the answer is lost.
 */
export const faulty = <Port extends Readonly<Record<string, (...args: never[]) => Promise<unknown>>>>(
  port: Port,
  faults: Faults,
): Port =>
  new Proxy(port, {
    get:
      (target, name) =>
      async (...args: unknown[]) => {
        await someTurns(faults);
        if (faults.strikes()) throw new UnavailableError(`${String(name)} failed before it did anything`);
        const answer = await Reflect.apply(Reflect.get(target, name), target, args);
        await someTurns(faults);
        if (faults.strikes()) throw new UnavailableError(`the answer of ${String(name)} was lost`);
        return answer;
      },
  });

/** Ends an invocation in the middle of its work. */
class SimulatedCrash extends Error {}

/** The ports of one invocation, which ends at a random call, before or after its effect: from then on no call of any of them is made. */
export const invocation = (crashes: Faults) => {
  let isOver = false;
  const survive = async () => {
    await turn();
    isOver ||= crashes.strikes();
    if (isOver) throw new SimulatedCrash('this invocation has crashed');
  };
  return <Port extends object>(port: Port): Port =>
    new Proxy(port, {
      get: (target, name) => {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          await survive();
          const answer = await Reflect.apply(method, target, args);
          await survive();
          return answer;
        };
      },
    });
};

/** The ports of one invocation that crashes at a given point, counted from 1: before its first call, after that call's effect, before its second call … */
export const invocationUntil = (point: number) => {
  let points = 0;
  const until = invocation({
    strikes: () => ++points >= point,
    below: () => 0,
    shuffled: (items) => [...items],
  });
  return { until, hasCrashed: () => points >= point };
};

/** For `catch` in tests that inject faults: accepts the faults, and our own errors that follow from them. Any other error fails the test. */
export const acceptFault = (error: unknown): undefined => {
  if (!(error instanceof ProviderError || error instanceof SimulatedCrash)) throw error;
};

const someTurns = async (faults: Faults) => {
  for (let turns = faults.below(4); turns > 0; turns--) await turn();
};
