/** Timers, at most one for each key. They do not keep the process alive. */
export type Timers = Disposable & {
  /** Replaces the key's timer. */
  after(key: string, ms: number, callback: () => void): void;
  cancel(key: string): void;
  /** Calls the key's callback now instead of later; does nothing where it has no timer. */
  fire(key: string): void;
};

export const timers = (): Timers => {
  const pendingTimers = new Map<string, { readonly timer: NodeJS.Timeout; callback(): void }>();
  const cancel = (key: string) => {
    clearTimeout(pendingTimers.get(key)?.timer);
    pendingTimers.delete(key);
  };
  const fire = (key: string) => {
    const pending = pendingTimers.get(key);
    cancel(key);
    pending?.callback();
  };
  return {
    cancel,
    fire,
    after: (key, ms, callback) => {
      cancel(key);
      const timer = setTimeout(() => fire(key), ms).unref();
      pendingTimers.set(key, { timer, callback });
    },
    [Symbol.dispose]: () => {
      for (const key of [...pendingTimers.keys()]) cancel(key);
    },
  };
};
