import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';

/** Something that runs on the laptop in the place of a service: where it answers, and how to end it. */
export type Part = AsyncDisposable & {
  /** On 127.0.0.1, without a trailing slash. */
  readonly url: string;
};

/** Lets a server answer on 127.0.0.1 only. @throws where the port is taken. `port` 0 takes any free one. */
export const listen = async (server: Server, port = 0): Promise<Part> => {
  const address = await new Promise<ReturnType<Server['address']>>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server.address()));
  });
  if (address === null || typeof address === 'string') throw new Error('The server has no TCP port.');
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
export const serve = (fetch: (request: Request) => Response | Promise<Response>, port = 0): Promise<Part> =>
  listen(createServer(getRequestListener(fetch, { overrideGlobalObjects: false })), port);
