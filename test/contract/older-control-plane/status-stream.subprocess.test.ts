import { AckPolicy, jetstreamManager, StorageType } from '@nats-io/jetstream';
import { connect, nanos } from '@nats-io/transport-node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../../local/emulators/dcm/older-control-plane/start.ts';
import { ensureStatusStream } from '../../../local/emulators/dcm/status-consumer.ts';
import { startNatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';
import { temporaryFolder } from './dcm.ts';

const connectToFreshServer = async () => {
  const folder = await temporaryFolder();
  const server = await startNatsServer({ storeDir: folder.path });
  const nats = await connect({ servers: server.url });
  return {
    nats,
    manager: await jetstreamManager(nats),
    [Symbol.asyncDispose]: async () => {
      await nats.close();
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
};

describe('control plane, the stream of status events', () => {
  let dcm: Awaited<ReturnType<typeof connectToFreshServer>>;
  beforeEach(async () => {
    dcm = await connectToFreshServer();
  });
  afterEach(() => dcm[Symbol.asyncDispose]());

  it('is dcm-status on dcm.*, in files, without an age limit, with a duplicate window of two minutes', async () => {
    await ensureStatusStream(dcm.nats);

    const { config } = await dcm.manager.streams.info('dcm-status');

    expect(config).toMatchObject({
      subjects: ['dcm.*'],
      retention: 'limits',
      storage: 'file',
      max_age: 0,
      max_msgs: -1,
      max_bytes: -1,
      max_msgs_per_subject: -1,
      discard: 'old',
      duplicate_window: nanos(120_000),
    });
  });

  it('is read by a durable pull consumer that has to acknowledge each event', async () => {
    await ensureStatusStream(dcm.nats);

    const { config } = await dcm.manager.consumers.info('dcm-status', 'control-plane');

    expect(config).toMatchObject({
      durable_name: 'control-plane',
      deliver_policy: 'all',
      ack_policy: 'explicit',
      ack_wait: nanos(30_000),
      max_deliver: -1,
      max_ack_pending: 1000,
    });
    expect(config).not.toHaveProperty('deliver_subject');
    expect(config).not.toHaveProperty('filter_subject');
  });

  it('is unchanged where it exists', async () => {
    await ensureStatusStream(dcm.nats);
    const { created } = await dcm.manager.streams.info('dcm-status');

    await ensureStatusStream(dcm.nats);

    expect(await dcm.manager.streams.info('dcm-status')).toMatchObject({ created });
  });

  it('is updated where its configuration differs', async () => {
    await dcm.manager.streams.add({
      name: 'dcm-status',
      subjects: ['dcm.vm'],
      duplicate_window: nanos(1000),
    });
    await dcm.manager.consumers.add('dcm-status', {
      durable_name: 'control-plane',
      ack_policy: AckPolicy.Explicit,
      max_ack_pending: 7,
    });

    await ensureStatusStream(dcm.nats);

    const stream = await dcm.manager.streams.info('dcm-status');
    const consumer = await dcm.manager.consumers.info('dcm-status', 'control-plane');
    expect(stream.config).toMatchObject({ subjects: ['dcm.*'], duplicate_window: nanos(120_000) });
    expect(consumer.config).toMatchObject({ max_ack_pending: 1000 });
  });

  it('is not created where another stream has its subjects', async () => {
    await dcm.manager.streams.add({
      name: 'of-a-provider',
      subjects: ['dcm.vm'],
      storage: StorageType.Memory,
    });

    const ensuring = ensureStatusStream(dcm.nats);

    await expect(ensuring).rejects.toThrow('subjects overlap');
  });
});

describe('control plane', () => {
  it('does not start without NATS', async () => {
    const starting = startControlPlane({ natsUrl: 'nats://127.0.0.1:1', log: () => {} });

    await expect(starting).rejects.toThrow('refused');
  });
});
