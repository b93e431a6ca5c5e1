import { setTimeout as delay } from 'node:timers/promises';
import { type JsMsg, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import type { Applied } from './apply-status.ts';
import { ensureConsumer, ensureStreamConfig, startConsumer } from './jetstream.ts';
import type { History } from './status-history.ts';

const stream = 'dcm-status';
const durable = 'control-plane';

const streamConfig = {
  name: stream,
  subjects: ['dcm.*'],
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  max_age: 0, // no limit
  duplicate_window: nanos(120_000),
};

const config = {
  ack_wait: nanos(30_000),
  max_deliver: -1, // no limit
  max_ack_pending: 1000,
};

/**
 * Creates the stream of status events and the control plane's durable pull consumer, or updates them to DCM's configuration. Only the
 * control plane does this: it could not start where a provider had created a stream on `dcm.vm`.
 * @throws where another stream has any of the subjects.
 */
export const ensureStatusStream = async (nats: NatsConnection) => {
  await ensureStreamConfig(nats, streamConfig);
  await ensureConsumer({ nats, stream, durable, config });
  return { stream, durable };
};

type Parts = {
  readonly nats: NatsConnection;
  readonly apply: (message: Uint8Array) => Promise<Applied>;
  readonly history: History;
  readonly log: (line: string) => void;
};

/**
 * DCM's StatusConsumer: handles the events one at a time, in stream order. After an outage it continues at the durable consumer's
 * position. An event that the database refuses is redelivered at once and without limit. Disposing finishes the events that were
 * delivered, for at most 1 s.
 * @throws where another stream has any of the subjects.
 * @see https://github.com/dcm-project/control-plane (internal/sp/consumer/consumer.go)
 */
export const startStatusConsumer = async (parts: Parts): Promise<AsyncDisposable> => {
  const { nats, log } = parts;
  const prepare = () => ensureStreamConfig(nats, streamConfig);
  await prepare();
  return startConsumer({
    ...{ nats, stream, durable, config, prepare, log },
    ...{ handle: eventHandler(parts), prefetch: 100 },
  });
};

const eventHandler = ({ nats, apply, history, log }: Parts) => {
  const acknowledge = acknowledgeOn(nats);
  const refused = new Set<number>();
  return async (message: JsMsg): Promise<void> => {
    const receivedAtMs = Date.now();
    const applied = await apply(message.data);
    const delivery = { streamSeq: message.seq, deliveries: message.info.deliveryCount };
    const isNak = applied.outcome === 'nak';
    if (!isNak || !refused.has(message.seq)) {
      history.record({ ...applied, ...delivery, receivedAtMs, appliedAtMs: Date.now() });
      if (applied.reason) log(`${applied.outcome} event ${message.seq}: ${applied.reason}`);
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

const confirmationTimeoutMs = 250;
const acknowledgeAgainMs = 100;
const attemptsWhileConnected = 3;

/**
 * Acknowledges a message. Settles when the server has confirmed the acknowledgement, however long an outage takes, or when the connection
 * is closed. DCM's Go client sends buffered acknowledgements after it has reconnected; this client drops them, and the server would
 * redeliver an old status 30 s later.
 *
 * A server that was killed may have lost its last deliveries. It never confirms those and delivers the messages again, with delivery
 * sequences that start where its stored state ends. So after the first unconfirmed acknowledgement the later ones are not awaited.
 */
const acknowledgeOn = (nats: NatsConnection): ((message: JsMsg) => Promise<void>) => {
  const isConnected = connectionProbe(nats);
  let unconfirmedFrom = Number.POSITIVE_INFINITY;
  return async (message) => {
    const { deliverySequence } = message.info;
    if (deliverySequence > unconfirmedFrom) return;
    unconfirmedFrom = Number.POSITIVE_INFINITY;
    for (let attempts = 0; attempts < attemptsWhileConnected; ) {
      if ((await isConfirmed(nats, message)) || nats.isClosed()) return;
      if (await isConnected()) attempts += 1;
      await delay(acknowledgeAgainMs);
    }
    unconfirmedFrom = deliverySequence;
  };
};

/** Sends the acknowledgement itself, because `ackAck` can be called only once. */
const isConfirmed = async (nats: NatsConnection, message: JsMsg): Promise<boolean> => {
  const reply = 'reply' in message && typeof message.reply === 'string' ? message.reply : '';
  try {
    await nats.request(reply, '+ACK', { timeout: confirmationTimeoutMs });
    return true;
  } catch {
    return false;
  }
};

const connectionProbe = (nats: NatsConnection): (() => Promise<boolean>) => {
  let giveUp = () => {};
  void nats.closed().then(() => giveUp()); // `rtt` never settles once the connection is closed
  return () =>
    new Promise((resolve) => {
      giveUp = () => resolve(false);
      nats.rtt().then(() => resolve(true), giveUp);
    });
};
