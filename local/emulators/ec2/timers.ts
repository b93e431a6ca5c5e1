/** What is to happen later, at most one thing per key. Waiting for it keeps no process alive. */
export type Timers = Disposable & {
  /** Takes the place of what the key was waiting for. */
  after(key: string, ms: number, happens: () => void): void;
  cancel(key: string): void;
};

export const timers = (): Timers => {
  const waiting = new Map<string, NodeJS.Timeout>();
  const cancel = (key: string) => {
    clearTimeout(waiting.get(key));
    waiting.delete(key);
  };
  return {
    cancel,
    after: (key, ms, happens) => {
      cancel(key);
      const timer = setTimeout(() => {
        waiting.delete(key);
        happens();
      }, ms);
      waiting.set(key, timer.unref());
    },
    [Symbol.dispose]: () => {
      for (const key of [...waiting.keys()]) cancel(key);
    },
  };
};
