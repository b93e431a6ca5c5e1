import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** A server on this machine: an emulator, or a program that was started. Disposing ends it. */
export type LocalServer = AsyncDisposable & {
  /** On 127.0.0.1, without a trailing slash. */
  readonly url: string;
};

/** Makes a server listen on 127.0.0.1 only; port 0 means any free port. @throws where the port is taken. */
export const listen = async (server: Server, port = 0): Promise<LocalServer> => {
  const address = await new Promise<ReturnType<Server['address']>>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server.address()));
  });
  if (address === null || typeof address === 'string') throw new Error('the server has no TCP port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
};

/** Serves a Fetch API handler, such as Hono's `app.fetch`, on 127.0.0.1 only. */
export const serve = (
  fetch: (request: Request) => Response | Promise<Response>,
  port = 0,
): Promise<LocalServer> =>
  listen(createServer(getRequestListener(fetch, { overrideGlobalObjects: false })), port);
