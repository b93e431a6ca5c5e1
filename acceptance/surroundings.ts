import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { connect } from '@nats-io/transport-node';
import { followEvents, type Received } from '../conformance/events.ts';
import { type ControlPlane, startControlPlane } from '../local/emulators/dcm/older-control-plane/start.ts';
import { startNatsServer } from '../local/emulators/nats-server/start-nats-server.ts';
import { startTogether, type Use } from '../local/processes/disposables.ts';
import { serve } from '../local/processes/loopback.ts';

export type Surroundings = AsyncDisposable & {
  readonly natsUrl: string;
  readonly controlPlane: ControlPlane;
  /** Leads to the provider-api once that is deployed. */
  readonly publicUrl: string;
  leadTo(providerApiUrl: string): void;
  /** Text of each secret that the settings name. */
  readonly secrets: Readonly<Record<'token' | 'nats', { readonly name: string; readonly text: string }>>;
  /** Everything on the status stream, in its order. */
  readonly published: readonly Received[];
};

type Options = { readonly folder: string; readonly log: (part: string, line: string) => void };

/** What a deployment finds around it: NATS with DCM's stream, a control plane, and an address that leads to the provider-api. */
export const startSurroundings = (options: Options): Promise<Surroundings> =>
  startTogether((use) => start(options, use));

const start = async (
  { folder, log }: Options,
  use: Use,
): Promise<Omit<Surroundings, keyof AsyncDisposable>> => {
  const nats = await use(
    startNatsServer({ storeDir: join(folder, 'jetstream'), log: (line) => log('nats-server', line) }),
  );
  const controlPlane = await use(
    startControlPlane({
      natsUrl: nats.url,
      healthIntervalMs: 1_000,
      log: (line) => log('control-plane', line),
    }),
  );
  const connection = await connect({ servers: nats.url });
  await use({ [Symbol.asyncDispose]: () => connection.close() });
  const { received } = await use(followEvents(connection, 'dcm.vm'));
  const secrets = {
    token: { name: 'dcm/ec2-sp-api', text: randomBytes(24).toString('hex') },
    nats: { name: 'dcm/nats', text: JSON.stringify({ user: 'ec2-sp', password: 'unused' }) },
  };
  let target: string | undefined;
  const publicAddress = await use(
    serve((request) => {
      if (target === undefined) return Response.json({ message: 'not deployed' }, { status: 503 });
      const { pathname, search } = new URL(request.url);
      return forward(request, `${target}${pathname}${search}`);
    }),
  );
  return {
    natsUrl: nats.url,
    controlPlane,
    publicUrl: publicAddress.url,
    leadTo: (url) => {
      target = url;
    },
    secrets,
    published: received,
  };
};

/** API Gateway's own host name does not lead to the emulator, so the provider is registered under this address. */
const forward = async (request: Request, url: string): Promise<Response> => {
  const { method, headers } = request;
  const body = ['GET', 'HEAD'].includes(method) ? null : await request.arrayBuffer();
  const sent = new Headers(headers);
  for (const name of ['host', 'connection', 'content-length']) sent.delete(name);
  const answer = await fetch(url, { method, headers: sent, body });
  const content = await answer.arrayBuffer();
  return new Response(content.byteLength > 0 ? content : null, {
    status: answer.status,
    headers: { 'content-type': answer.headers.get('content-type') ?? '' },
  });
};
