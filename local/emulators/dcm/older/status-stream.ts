import {
  AckPolicy,
  type ConsumerConfig,
  JetStreamApiError,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';

const stream = 'dcm-status';
const durable = 'control-plane';

const streamConfig = {
  subjects: ['dcm.*'],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: 0, // kept for ever
  duplicate_window: nanos(120_000),
};

const consumerConfig: Partial<ConsumerConfig> = {
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(30_000),
  max_deliver: -1, // no limit
  max_ack_pending: 1000,
};

/**
 * The stream that every provider's status events land in, and the control plane's durable pull consumer of it: created,
 * or brought to what DCM makes of them. Only the control plane does this: a stream that a provider made on `dcm.vm` would
 * keep it from starting.
 * @throws where another stream has any of the subjects.
 */
export const ensureStatusStream = async (nats: NatsConnection) => {
  const manager = await jetstreamManager(nats);
  await manager.streams
    .add({ name: stream, ...streamConfig })
    .catch(ifItExists(10058, () => manager.streams.update(stream, streamConfig)));
  await manager.consumers
    .add(stream, { durable_name: durable, ...consumerConfig })
    .catch(ifItExists(10148, () => manager.consumers.update(stream, durable, consumerConfig)));
  return { stream, durable };
};

/** @see https://github.com/nats-io/nats-server/blob/v2.12.1/server/errors.json for the codes. */
const ifItExists =
  <Info>(errorCode: number, update: () => Promise<Info>) =>
  (error: unknown): Promise<Info> => {
    if (error instanceof JetStreamApiError && error.code === errorCode) return update();
    throw error;
  };
