import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Socket, connect as tcpConnect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
} from '@nats-io/jetstream';
import { type ConnectionOptions, connect, type NatsConnection } from '@nats-io/transport-node';
import { type NatsServer, startNatsServer } from '../../local/emulators/nats-server/start-nats-server.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';

export type TestNats = AsyncDisposable & {
  readonly server: NatsServer;
  readonly nc: NatsConnection;
  /** Makes the stream `dcm-status` anew, empty. */
  resetStream(): Promise<void>;
  removeStream(): Promise<void>;
  /** What the stream holds, in its order. */
  stored(): Promise<CloudEventJson[]>;
};

/** A nats-server of its own, with DCM's stream. */
export const startTestNats = async (config?: string, options: ConnectionOptions = {}): Promise<TestNats> => {
  const storeDir = await mkdtemp(join(tmpdir(), 'ec2-sp-nats-'));
  const server = await startNatsServer({ storeDir, ...(config && { config }) });
  const nc = await connect({ servers: server.url, ...options });
  const jsm = await jetstreamManager(nc);
  const removeStream = () => removeStreamIfAny(jsm, 'dcm-status');
  return {
    server,
    nc,
    removeStream,
    async resetStream() {
      await removeStream();
      await jsm.streams.add({ name: 'dcm-status', subjects: ['dcm.*'] });
    },
    async stored() {
      const { state } = await jsm.streams.info('dcm-status');
      const events: CloudEventJson[] = [];
      for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
        const message = await jsm.streams.getMessage('dcm-status', { seq });
        if (message) events.push(message.json());
      }
      return events;
    },
    async [Symbol.asyncDispose]() {
      await nc.close();
      await server[Symbol.asyncDispose]();
      await rm(storeDir, { recursive: true, force: true });
    },
  };
};

/** Removes a stream; one that is not there is left so. */
export const removeStreamIfAny = async ({ streams }: JetStreamManager, name: string): Promise<void> => {
  try {
    await streams.delete(name);
  } catch (error) {
    const isGone = error instanceof JetStreamApiError && error.code === JetStreamApiCodes.StreamNotFound;
    if (!isGone) throw error;
  }
};

/** A network between a client and a port, which can forget its connections without telling either end, as NAT does. */
export const startForgetfulNetwork = async (port: number) => {
  const pairs: [Socket, Socket][] = [];
  const listener = createServer((client) => {
    const server = tcpConnect(port, '127.0.0.1');
    pairs.push([client, server]);
    client.pipe(server).pipe(client);
    for (const socket of [client, server]) socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const address = listener.address();
  return {
    url: `nats://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`,
    forget() {
      for (const [client, server] of pairs.splice(0)) {
        client.unpipe(server).resume();
        server.unpipe(client).resume();
      }
    },
    async [Symbol.asyncDispose]() {
      for (const sockets of pairs) for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => listener.close(resolve));
    },
  };
};
