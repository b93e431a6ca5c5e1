import type { Clock } from '../../../shared/ports/clock.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import type { Faults } from './faults.ts';
import type { Retention } from './instance-store.ts';
import type { DwellMs } from './lifecycle.ts';

/** A state that an instance entered. */
export type Transition = {
  readonly instanceId: string;
  readonly state: InstanceState;
  readonly atMs: number;
};

/** What the regions of an account share. */
export type Account = {
  readonly id: string;
  readonly clock: Clock;
  /** The seed of `random`. */
  readonly seed: number;
  readonly random: Random;
  readonly dwellMs: DwellMs;
  readonly retention: Retention;
  readonly timers: Timers;
  /** The current faults. */
  faults(): Faults;
  /** Never rejects. */
  emit(event: EventBridgeEvent): Promise<void>;
  onTransition(transition: Transition): void;
};

/** Timers, at most one for each key. They do not keep the process alive. */
export type Timers = Disposable & {
  /** Replaces the key's timer. */
  after(key: string, ms: number, callback: () => void): void;
  cancel(key: string): void;
};

export const timers = (): Timers => {
  const pendingTimers = new Map<string, NodeJS.Timeout>();
  const cancel = (key: string) => {
    clearTimeout(pendingTimers.get(key));
    pendingTimers.delete(key);
  };
  return {
    cancel,
    after: (key, ms, callback) => {
      cancel(key);
      const timer = setTimeout(() => {
        pendingTimers.delete(key);
        callback();
      }, ms);
      pendingTimers.set(key, timer.unref());
    },
    [Symbol.dispose]: () => {
      for (const key of [...pendingTimers.keys()]) cancel(key);
    },
  };
};

/** Numbers in [0, 1), the same for the same seed (mulberry32). */
export type Random = () => number;

export const seededRandom = (seed: number): Random => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};
