import { DeliverPolicy, jetstream, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/nats-core';
import * as z from 'zod';

/** The statuses of each instance, by its id, in the order stored; `atMs` is when, in milliseconds since 1970. */
export type Acknowledgements = ReadonlyMap<string, readonly Acknowledged[]>;
type Acknowledged = { readonly sequence: number; readonly atMs: number };

const StatusEvent = z.object({ instanceid: z.string(), sequence: z.coerce.number() });

/** All that the status stream has acknowledged so far. */
export const acknowledgements = async (nats: NatsConnection): Promise<Acknowledgements> => {
  const name = await (await jetstreamManager(nats)).streams.find('dcm.vm');
  const stream = await jetstream(nats).streams.get(name);
  const found = new Map<string, Acknowledged[]>();
  if ((await stream.info()).state.messages === 0) return found;

  const consumer = await stream.getConsumer({ deliver_policy: DeliverPolicy.All });
  for await (const message of await consumer.consume()) {
    const { instanceid, sequence } = StatusEvent.parse(message.json());
    const { timestampNanos, pending } = message.info;
    const statuses = found.get(instanceid) ?? [];
    found.set(instanceid, statuses);
    statuses.push({ sequence, atMs: timestampNanos / 1e6 });
    if (pending === 0) break;
  }
  return found;
};
