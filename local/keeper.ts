export type Keep = <Part extends AsyncDisposable>(starting: Promise<Part>) => Promise<Part>;

/** Keeps what was started, so that all of it can be ended: in reverse order, also what was still starting when another part failed. */
export const keeper = (): { readonly keep: Keep; readonly stop: () => Promise<void> } => {
  const kept: Promise<AsyncDisposable>[] = [];
  return {
    keep: (starting) => {
      kept.push(starting);
      return starting;
    },
    async stop() {
      for (const starting of kept.splice(0).reverse()) {
        const part = await starting.catch(() => undefined);
        await part?.[Symbol.asyncDispose]();
      }
    },
  };
};
