import { AckPolicy, type JsMsg, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { connect, type NatsConnection, nanos } from '@nats-io/transport-node';
import { reasonOf } from '../../../shared/domain/errors.ts';
import { type Forwarded, forward } from './forward.ts';
import { AgentRequest, requestStream, topic } from './requests.ts';

type Options = {
  readonly natsUrl: string;
  /** The provider's collection, as it registered it: credentials in the URL become Basic. */
  readonly endpoint: string;
  /** Hears of requests that could not be handed on. */
  readonly log: (line: string) => void;
};

export type EnvironmentAgent = AsyncDisposable & {
  /** Publishes requests as DCM's control plane does, all at once. */
  publish(requests: readonly Readonly<Record<string, unknown>>[]): Promise<void>;
  /** Everything that the provider answered, in the order of its answers. */
  forwarded(): readonly Forwarded[];
  /** How many requests the stream still holds. */
  waiting(): Promise<number>;
};

const durable = 'local-consumer';

/**
 * DCM's environment agent as an external provider sees it, and the work queue that it is fed from: every request is handed on as it comes,
 * many at once, and acknowledged, which removes it from the stream, only when the provider has answered.
 */
export const startEnvironmentAgent = async (options: Options): Promise<EnvironmentAgent> => {
  const nats = await connect({ servers: options.natsUrl, name: 'dcm-environment-agent' });
  await openStream(nats);
  const js = jetstream(nats);
  const messages = await (await js.consumers.get(requestStream, durable)).consume({ max_messages: 100 });
  const forwarded: Forwarded[] = [];
  const underWay = new Set<Promise<void>>();

  const handle = async (message: JsMsg) => {
    const request = AgentRequest.parse(message.json());
    forwarded.push(await forward(options.endpoint, request));
    await message.ackAck();
  };
  const following = (async () => {
    for await (const message of messages) {
      const handling = handle(message).catch((error) => options.log(reasonOf(error)));
      underWay.add(handling);
      void handling.finally(() => underWay.delete(handling));
    }
  })();

  return {
    publish: async (requests) => {
      await Promise.all(
        requests.map((one) => js.publish(topic, JSON.stringify(one), { msgID: String(one.id) })),
      );
    },
    forwarded: () => [...forwarded],
    waiting: async () => (await (await jetstreamManager(nats)).streams.info(requestStream)).state.messages,
    [Symbol.asyncDispose]: async () => {
      await messages.close();
      await following;
      await Promise.all(underWay);
      await nats.close();
    },
  };
};

/** @see https://github.com/dcm-project/environment-agent (internal/messaging/client.go) */
const openStream = async (nats: NatsConnection): Promise<void> => {
  const { streams, consumers } = await jetstreamManager(nats);
  const subjects = ['dcm.agent.>'];
  await streams.add({ name: requestStream, subjects, retention: RetentionPolicy.Workqueue });
  await consumers.add(requestStream, {
    durable_name: durable,
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(120_000),
    max_deliver: 10,
    filter_subject: topic,
  });
};
