/** Registers a resource, or one that is still starting, to be disposed of with the others. @returns the started resource */
export type Use = <Resource extends AsyncDisposable>(
  resource: Resource | Promise<Resource>,
) => Promise<Resource>;

/** Starts several resources as one. Disposing of the result disposes of all of them, and so does a start that fails. */
export const startTogether = async <Started extends object>(
  start: (use: Use) => Promise<Started>,
): Promise<Started & AsyncDisposable> => {
  const { use, stop } = disposables();
  try {
    return { ...(await start(use)), [Symbol.asyncDispose]: stop };
  } catch (error) {
    await stop();
    throw error;
  }
};

/**
 * A stack of resources, as AsyncDisposableStack is in newer versions of Node. `stop` disposes of them in reverse order and waits for those
 * that are still starting.
 */
export const disposables = (): { readonly use: Use; readonly stop: () => Promise<void> } => {
  const resources: Promise<AsyncDisposable>[] = [];
  return {
    use: (resource) => {
      const starting = Promise.resolve(resource);
      resources.push(starting);
      return starting;
    },
    async stop() {
      for (const starting of resources.splice(0).reverse()) {
        const resource = await starting.catch(() => undefined);
        await resource?.[Symbol.asyncDispose]();
      }
    },
  };
};
