import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

/** A message of DCM's status stream. */
export type Received = {
  readonly subject: string;
  readonly payload: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** When it was received, in milliseconds, on this machine's clock. */
  readonly at: number;
};

/** The messages on the status stream since the start of the run, in order. */
export type EventFeed = { readonly received: readonly Received[] };

/** Consumes `dcm.*` of the stream that has this subject, with an ordered consumer, which is removed afterwards. @throws where no stream has it. */
export const followEvents = async (
  nc: NatsConnection,
  subject: string,
  now: () => number = Date.now,
): Promise<EventFeed & AsyncDisposable> => {
  const js = jetstream(nc);
  const { streams } = await js.jetstreamManager();
  const stream = await streams.find(subject).catch((cause: unknown) => {
    throw new Error(`no stream has the subject ${subject}: DCM creates its stream dcm-status`, { cause });
  });
  const consumer = await js.consumers.get(stream, { filter_subjects: 'dcm.*', deliver_policy: 'new' });
  const received: Received[] = [];
  const messages = await consumer.consume({
    callback: ({ subject: on, data, headers }) => {
      const named = [...(headers ?? [])].map(([name, values]) => [name.toLowerCase(), values.join(',')]);
      const payload = Buffer.from(data).toString();
      received.push({ subject: on, payload, headers: Object.fromEntries(named), at: now() });
    },
  });
  return {
    received,
    async [Symbol.asyncDispose]() {
      await messages.close();
    },
  };
};
