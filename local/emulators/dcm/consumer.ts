import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';

type Options = {
  readonly nats: NatsConnection;
  readonly stream: string;
  readonly durable: string;
  readonly config: Partial<ConsumerConfig>;
  /** Acknowledges the message, or not. Must not throw. */
  readonly handle: (message: JsMsg) => Promise<void>;
  /** How many messages are handled at once. @default 1, as DCM's consumers do */
  readonly concurrency?: number;
  readonly log: (line: string) => void;
};

const retryAfterMs = 250;
const finishTimeoutMs = 1_000;
const consumerExists = 10148;

/**
 * A durable consumer of a stream, made or brought to this configuration. While the stream is missing, or NATS is away, it tries again.
 * Disposing finishes what is being handled, for at most 1 s.
 */
export const startConsumer = ({ concurrency = 1, ...options }: Options): AsyncDisposable => {
  const { nats, stream, durable, handle, log } = options;
  let messages: ConsumerMessages | undefined;
  let closing = false;
  const underWay = new Set<Promise<void>>();

  const consume = async () => {
    await ensureConsumer(options);
    const consumer = await jetstream(nats).consumers.get(stream, durable);
    messages = await consumer.consume({
      ...{ max_messages: Math.max(concurrency, 10), expires: 2_000, abort_on_missing_resource: true },
    });
    for await (const message of messages) {
      const handling = handle(message);
      underWay.add(handling);
      void handling.finally(() => underWay.delete(handling));
      if (underWay.size >= concurrency) await Promise.race(underWay);
    }
  };
  const following = (async () => {
    while (!closing) {
      await consume().catch((error: unknown) => {
        if (!closing)
          log(`${stream}: ${error instanceof Error ? error.message : String(error)}; trying again`);
      });
      if (!closing) await delay(retryAfterMs);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      closing = true;
      void messages?.close();
      await Promise.race([following.then(() => Promise.all(underWay)), delay(finishTimeoutMs)]);
    },
  };
};

/** Made where it is missing, else brought to the configuration. @throws where the stream is missing. */
export const ensureConsumer = async ({
  nats,
  stream,
  durable,
  config,
}: Pick<Options, 'nats' | 'stream' | 'durable' | 'config'>): Promise<void> => {
  const { consumers } = await jetstreamManager(nats);
  await consumers
    .add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, ...config })
    .catch((error: unknown) => {
      if (error instanceof JetStreamApiError && error.code === consumerExists)
        return consumers.update(stream, durable, config);
      throw error;
    });
};

const atOnce = 100;

/** All messages of a durable consumer that can be had now. A fetch that brings none within its second is the end. */
export async function* messagesNow(
  nats: NatsConnection,
  stream: string,
  durable: string,
): AsyncGenerator<JsMsg> {
  const consumer = await jetstream(nats).consumers.get(stream, durable);
  for (;;) {
    const { num_pending: waiting, num_ack_pending: taken } = await consumer.info();
    if (waiting + taken === 0) return;
    let found = 0;
    for await (const message of await consumer.fetch({ max_messages: atOnce, expires: 1_000 })) {
      found += 1;
      yield message;
    }
    if (found === 0) return;
  }
}

/** The message's JSON; undefined where it has none. */
export const jsonOf = (message: Pick<JsMsg, 'json'>): unknown => {
  try {
    return message.json();
  } catch {
    return undefined;
  }
};
