import { setTimeout as delay } from 'node:timers/promises';
import {
  AckPolicy,
  type ConsumerConfig,
  type ConsumerMessages,
  JetStreamApiError,
  type JsMsg,
  jetstream,
  jetstreamManager,
  type StreamConfig,
} from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { reasonOf } from '../../../shared/core/errors.ts';

/** Error codes of JetStream. @see https://github.com/nats-io/nats-server/blob/v2.12.1/server/errors.json */
const streamExists = 10058;
const consumerExists = 10148;

const ifErrorIs =
  <Result>(code: number, alternative: () => Promise<Result>) =>
  (error: unknown): Promise<Result> => {
    if (error instanceof JetStreamApiError && error.code === code) return alternative();
    throw error;
  };

type StreamSettings = Partial<StreamConfig> & { readonly name: string; readonly subjects: string[] };

/** Creates a stream. One that exists is left as it is. @throws where another stream has any of the subjects. */
export const ensureStream = async (nats: NatsConnection, config: StreamSettings): Promise<void> => {
  const { streams } = await jetstreamManager(nats);
  await streams.add(config).catch(ifErrorIs(streamExists, async () => undefined));
};

/** Creates a stream. One that exists gets this configuration. @throws where another stream has any of the subjects. */
export const ensureStreamConfig = async (nats: NatsConnection, config: StreamSettings): Promise<void> => {
  const { streams } = await jetstreamManager(nats);
  await streams.add(config).catch(ifErrorIs(streamExists, () => streams.update(config.name, config)));
};

type DurableConsumer = {
  readonly nats: NatsConnection;
  readonly stream: string;
  readonly durable: string;
  readonly config: Partial<ConsumerConfig>;
};

/** Creates a durable consumer. One that exists gets this configuration. @throws where the stream is missing. */
export const ensureConsumer = async ({ nats, stream, durable, config }: DurableConsumer): Promise<void> => {
  const { consumers } = await jetstreamManager(nats);
  await consumers
    .add(stream, { durable_name: durable, ack_policy: AckPolicy.Explicit, ...config })
    .catch(ifErrorIs(consumerExists, () => consumers.update(stream, durable, config)));
};

type Options = DurableConsumer & {
  /** Acknowledges the message, or not. Must not throw. */
  readonly handle: (message: JsMsg) => Promise<void>;
  /** How many messages are handled at the same time. @default 1, as DCM's consumers do */
  readonly concurrency?: number;
  /** How many messages the consumer requests ahead. @default 10, or the concurrency where that is greater */
  readonly prefetch?: number;
  /** Runs before the consumer is created, each time that consuming starts; creates the stream, for example. */
  readonly prepare?: () => Promise<void>;
  readonly log: (line: string) => void;
};

const retryAfterMs = 250;
const finishTimeoutMs = 1_000;

/**
 * Consumes a stream with a durable consumer. While the stream is missing or NATS is not connected, it tries again. Disposing finishes the
 * messages that were delivered, for at most 1 s.
 */
export const startConsumer = ({
  concurrency = 1,
  prefetch = Math.max(concurrency, 10),
  ...options
}: Options): AsyncDisposable => {
  const { nats, stream, durable, handle, prepare, log } = options;
  const underWay = new Set<Promise<void>>();
  let messages: ConsumerMessages | undefined;
  let closing = false;
  let closed = false;

  const consume = async () => {
    await prepare?.();
    await ensureConsumer(options);
    const consumer = await jetstream(nats).consumers.get(stream, durable);
    // A request lasts 2 s at most, because after an outage no new one is made before it has ended.
    messages = await consumer.consume({
      ...{ max_messages: prefetch, expires: 2_000, abort_on_missing_resource: true },
    });
    for await (const message of messages) {
      if (closed || nats.isClosed()) return;
      const handling = handle(message);
      underWay.add(handling);
      void handling.finally(() => underWay.delete(handling));
      if (underWay.size >= concurrency) await Promise.race(underWay);
    }
  };
  const consuming = (async () => {
    while (!closing) {
      await consume().catch((error: unknown) => {
        if (!closing) log(`${stream}: ${reasonOf(error)}; trying again`);
      });
      if (!closing) await delay(retryAfterMs);
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      closing = true;
      const finish = async () => {
        await messages?.close();
        // Until nats-server knows of it, it delivers the next message to this consumer, and again only after its ack_wait.
        if (!nats.isClosed()) await nats.flush();
        await consuming;
        await Promise.all(underWay);
      };
      await Promise.race([finish().catch(() => undefined), delay(finishTimeoutMs)]);
      closed = true;
    },
  };
};

const fetchedAtOnce = 100;

/** All messages that a durable consumer can fetch now. Ends when none is undelivered and a fetch of one second brings none. */
export async function* messagesNow(
  nats: NatsConnection,
  stream: string,
  durable: string,
): AsyncGenerator<JsMsg> {
  const consumer = await jetstream(nats).consumers.get(stream, durable);
  for (;;) {
    const { num_pending: undelivered, num_ack_pending: unacknowledged } = await consumer.info();
    if (undelivered + unacknowledged === 0) return;
    let found = 0;
    for await (const message of await consumer.fetch({ max_messages: fetchedAtOnce, expires: 1_000 })) {
      found += 1;
      yield message;
    }
    if (found === 0 && undelivered === 0) return; // a message that was not acknowledged may be fetched only after its ack_wait
  }
}

/** The message's payload as JSON; undefined where it is not JSON. */
export const jsonOf = (message: Pick<JsMsg, 'json'>): unknown => {
  try {
    return message.json();
  } catch {
    return undefined;
  }
};
