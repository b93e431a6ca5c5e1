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
