import { setTimeout as delay } from 'node:timers/promises';
import { type ConsumerMessages, type JsMsg, jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { acknowledgeOn } from './acknowledge.ts';
import type { Applied } from './apply-status.ts';
import type { History } from './history.ts';
import { ensureStatusStream } from './status-stream.ts';

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
