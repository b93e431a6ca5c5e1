import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
  RetentionPolicy,
  StorageType,
} from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { reasonOf } from '../../../shared/core/errors.ts';
import type { Applied } from './older-control-plane/apply-status.ts';
import type { History } from './status-history.ts';

type Parts = {
  readonly nats: NatsConnection;
  readonly apply: (message: Uint8Array) => Promise<Applied>;
  readonly history: History;
  readonly log: (line: string) => void;
};

const retryAfterMs = 250;
const finishTimeoutMs = 1000;

/**
 * DCM's StatusConsumer: takes the stream's events one at a time, in stream order; after an outage it goes on where the
 * durable consumer is. What is readable but refused by the database is redelivered at once and without end.
 * Disposing of it finishes what was delivered already, for at most 1 s, and closes the connection.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/consumer.go)
 */
export const startStatusConsumer = async (parts: Parts): Promise<AsyncDisposable> => {
  const { nats, log } = parts;
  const handle = handleWith(parts);
  let messages: ConsumerMessages | undefined;
  let closing = false;

  const session = async () => {
    messages = await consume(nats);
    for await (const message of messages) {
      if (nats.isClosed()) return;
      await handle(message);
    }
  };
  const sessions = async () => {
    while (!closing) {
      await session().catch((error: unknown) => {
        if (!closing) log(`control plane: ${reasonOf(error)}; trying again`);
      });
      if (!closing) await delay(retryAfterMs);
    }
  };

  await ensureStatusStream(nats);
  const following = sessions();

  return {
    [Symbol.asyncDispose]: async () => {
      closing = true;
      void messages?.close();
      await Promise.race([following, delay(finishTimeoutMs)]);
      await nats.close();
      await following;
    },
  };
};

/** Asks for 2 s at a time, for that is also how soon it asks again after an outage. */
const consume = async (nats: NatsConnection): Promise<ConsumerMessages> => {
  const { stream, durable } = await ensureStatusStream(nats);
  const consumer = await jetstream(nats).consumers.get(stream, durable);
  return consumer.consume({ max_messages: 100, expires: 2000, abort_on_missing_resource: true });
};

const handleWith = ({ nats, apply, history, log }: Parts) => {
  const acknowledge = acknowledgeOn(nats);
  const refused = new Set<number>();
  return async (message: JsMsg): Promise<void> => {
    const receivedAtMs = Date.now();
    const applied = await apply(message.data);
    const delivery = { streamSeq: message.seq, deliveries: message.info.deliveryCount };
    const isNak = applied.outcome === 'nak';
    if (!isNak || !refused.has(message.seq)) {
      history.record({ ...applied, ...delivery, receivedAtMs, appliedAtMs: Date.now() });
      if (applied.reason) log(`control plane: ${applied.outcome} event ${message.seq}: ${applied.reason}`);
    }
    if (isNak) {
      refused.add(message.seq);
      message.nak();
    } else {
      refused.delete(message.seq);
      await acknowledge(message);
    }
  };
};

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

const confirmWithinMs = 250;
const retryAfterMsAcknowledge = 100;
const attemptsWhileConnected = 3;

/**
 * Acknowledges a message, and settles when the server has confirmed it, however long an outage takes, or when the
 * connection is closed: a lost acknowledgement would bring an old status back 30 s later. DCM's Go client keeps what it
 * could not send until it is connected again; this one forgets it.
 *
 * A server that was killed may have forgotten its last deliveries. It never confirms those, and makes them again,
 * numbered from where its memory ends: so after the first of them the others are not waited for.
 */
const acknowledgeOn = (nats: NatsConnection): ((message: JsMsg) => Promise<void>) => {
  const isConnected = connectionProbe(nats);
  let forgottenFrom = Number.POSITIVE_INFINITY;
  return async (message) => {
    const { deliverySequence } = message.info;
    if (deliverySequence > forgottenFrom) return;
    forgottenFrom = Number.POSITIVE_INFINITY;
    for (let attempts = 0; attempts < attemptsWhileConnected; ) {
      if ((await isConfirmed(nats, message)) || nats.isClosed()) return;
      if (await isConnected()) attempts += 1;
      await delay(retryAfterMsAcknowledge);
    }
    forgottenFrom = deliverySequence;
  };
};

/** Not `ackAck`, which can be asked once only. */
const isConfirmed = async (nats: NatsConnection, message: JsMsg): Promise<boolean> => {
  const reply = 'reply' in message && typeof message.reply === 'string' ? message.reply : '';
  try {
    await nats.request(reply, '+ACK', { timeout: confirmWithinMs });
    return true;
  } catch {
    return false;
  }
};

const connectionProbe = (nats: NatsConnection): (() => Promise<boolean>) => {
  let giveUp = () => {};
  void nats.closed().then(() => giveUp()); // who waits for a pong when the connection is closed, waits for ever
  return () =>
    new Promise((resolve) => {
      giveUp = () => resolve(false);
      nats.rtt().then(() => resolve(true), giveUp);
    });
};
