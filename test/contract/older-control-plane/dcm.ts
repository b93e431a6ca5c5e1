import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import {
  type ControlPlaneOptions,
  startControlPlane,
} from '../../../local/emulators/dcm/older-control-plane/start.ts';
import { startNatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';

/** A status event as a provider sends it. */
export const statusEvent = (data: object, extensions: object = {}) =>
  JSON.stringify({
    specversion: '1.0',
    id: crypto.randomUUID(),
    source: 'dcm/providers/ec2-sp',
    type: 'dcm.status.vm',
    subject: 'dcm.vm',
    datacontenttype: 'application/json',
    time: '2026-08-22T10:30:00Z',
    data,
    ...extensions,
  });

/** A provider's connection to JetStream, which outlives restarts of the server. */
export const connectProvider = async (url: string) => {
  const nats = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const js = jetstream(nats);
  const publish = (event: string, messageId: string = crypto.randomUUID()) =>
    js.publish('dcm.vm', event, { msgID: messageId, timeout: 1000, retries: 20 });
  return {
    publish,
    report: (id: string, status: string, message = `instance is ${status.toLowerCase()}`) =>
      publish(statusEvent({ id, status, message })),
    manager: await jetstreamManager(nats),
    [Symbol.asyncDispose]: () => nats.close(),
  };
};

/** An empty folder of its own, removed afterwards. */
export const temporaryFolder = async () => {
  const path = await mkdtemp(join(tmpdir(), 'control-plane-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
};

/** nats-server, a control plane on it and a provider. What the control plane logs is in `lines`. */
export const startDcm = async (options: Partial<ControlPlaneOptions> = {}) => {
  const folder = await temporaryFolder();
  const nats = await startNatsServer({ storeDir: folder.path });
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  const controlPlane = await startControlPlane({ natsUrl: nats.url, log, ...options });
  const provider = await connectProvider(nats.url);
  return {
    folder,
    nats,
    lines,
    controlPlane,
    provider,
    [Symbol.asyncDispose]: async () => {
      for (const part of [provider, controlPlane, nats, folder]) await part[Symbol.asyncDispose]();
    },
  };
};
