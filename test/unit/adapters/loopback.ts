import { once } from 'node:events';
import type { Server } from 'node:http';
import * as z from 'zod';

const Address = z.object({ port: z.int() });

/** Lets an HTTP server listen on an ephemeral port of this machine, until it is disposed of. */
export const loopback = async (server: Server) => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = Address.parse(server.address());
  return {
    port: String(port),
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
};
