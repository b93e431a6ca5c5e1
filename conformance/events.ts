import { jetstream } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';

/** A message of DCM's status stream. */
export type Received = {
  readonly subject: string;
  readonly payload: string;
  /** Names in small letters. */
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds, by the clock of this machine. */
  readonly at: number;
};

/** What the status stream gets while the checks are made, in its order. */
export type EventFeed = { readonly received: readonly Received[] };

/** Follows `dcm.*` with an ordered consumer, which leaves nothing behind. @throws where the stream is not there. */
export const followEvents = async (
  nc: NatsConnection,
  now: () => number = Date.now,
): Promise<EventFeed & AsyncDisposable> => {
  const js = jetstream(nc);
  const { streams } = await js.jetstreamManager();
  const stream = await streams.find('dcm.vm').catch((cause: unknown) => {
    throw new Error('no stream has the subject dcm.vm: DCM creates its stream dcm-status', { cause });
  });
  const consumer = await js.consumers.get(stream, { filter_subjects: 'dcm.*', deliver_policy: 'new' });
  const received: Received[] = [];
  const messages = await consumer.consume({
    callback: ({ subject, data, headers }) => {
      const named = [...(headers ?? [])].map(([name, values]) => [name.toLowerCase(), values.join(',')]);
      const payload = Buffer.from(data).toString();
      received.push({ subject, payload, headers: Object.fromEntries(named), at: now() });
    },
  });
  return {
    received,
    async [Symbol.asyncDispose]() {
      await messages.close();
    },
  };
};
