export type Keep = <Part extends AsyncDisposable>(starting: Promise<Part>) => Promise<Part>;

/** Starts something of many parts: disposing of it ends them all, as does a start that fails. */
export const startTogether = async <Started extends object>(
  start: (keep: Keep) => Promise<Started>,
): Promise<Started & AsyncDisposable> => {
  const { keep, stop } = keeper();
  try {
    return { ...(await start(keep)), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

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
