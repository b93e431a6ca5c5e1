import * as z from 'zod';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { type Parts, reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import type { Target } from '../../../shared/core/target.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { Instance, Instances } from '../../../shared/service-types/vm/ports.ts';
import type { VmRecords } from '../../../shared/service-types/vm/record.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { scriptedInstances } from '../../fakes/scripted-instances.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { dcmId, halfPastTen, resourceId, tagKeys } from '../../fixtures/resource-messages.ts';

type Later = { readonly event: EventBridgeEvent; readonly afterSeconds: number; readonly dueAtMs: number };

const Told = z.object({
  partitionkey: z.string(),
  data: z.object({ id: z.string(), status: z.string(), message: z.string() }),
});

/** A VM's id, instance and region, as the fixtures have it. */
export const vm = {
  ...{ resourceId, dcmId, region: 'us-east-1', account: '123456789012' },
  privateAddress: '10.0.0.4',
};

type Changed = Partial<Parts> & { readonly instances?: Instances; readonly records?: VmRecords };

/** What the normaliser meets in an AWS account, in memory. It is an hour after the fixtures' signals there. */
export const awsAccount = (...known: Partial<Instance>[]) => {
  const clock = { ms: (halfPastTen + 3600) * 1000 };
  const now = () => clock.ms;
  const resourceStore = memoryResourceStore(now);
  const recalls: (readonly string[])[] = [];
  const stream = memoryEventStream();
  const instances = scriptedInstances(...known);
  const meter = countingMeter();
  const log = memoryLog();
  /** What the normaliser queued for later. */
  const later: Later[] = [];
  const republished: string[] = [];
  const observations: Observations = {
    send: async (events, afterSeconds = 0) =>
      void later.push(
        ...events.map((event) => ({ event, afterSeconds, dueAtMs: clock.ms + afterSeconds * 1000 })),
      ),
  };
  /** What is in the dead-letter queue, and why. */
  const deadLetters: (readonly [body: string, reason: string])[] = [];
  const retries = {
    deadLetter: async (body: string, reason: string) => void deadLetters.push([body, reason]),
  };
  const listings = { requestRepublication: async ({ region }: Target) => void republished.push(region) };
  const read: typeof resourceStore.read = (ids) => {
    recalls.push(ids);
    return resourceStore.read(ids);
  };

  /** A normaliser that was just started. What it is given becomes a batch, a message each; answers why messages failed, by their place. */
  const worker = ({ instances: ec2 = instances, records, ...more }: Changed = {}) => {
    const parts = {
      resourceStore: { ...resourceStore, read },
      publisher: publishEvents(stream),
      types: [{ ...servedVms(ec2), ...(records && { records }) }],
      observations,
      listings,
      retries,
      now,
      meter,
      log,
      randomPart,
    };
    const handle = reportStatus({ ...parts, provider: 'ec2-sp', tagKeys, ...more });
    return async (batch: readonly (ResourceMessage | readonly ResourceMessage[])[], delivery = 1) => {
      const messages = batch.map((told, place) => ({
        messageId: String(place),
        isRetry: delivery > 1,
        resourceMessages: [told].flat(),
      }));
      const failures = await handle(messages);
      return new Map([...failures].map(([id, error]) => [Number(id), error]));
    };
  };

  /** The statuses that DCM was told of an instance, in order. */
  const told = (about = resourceId) =>
    stream.stored
      .map((event) => Told.parse(event))
      .flatMap(({ partitionkey, data }) => (partitionkey === about ? [data] : []));
  /** The statuses of a DCM id, in the order in which they were published. */
  const reported = (id: string) =>
    stream.stored
      .map((event) => Told.parse(event).data)
      .flatMap(({ id: told, status }) => (told === id ? [status] : []));
  const statuses = (about = resourceId) => told(about).map(({ status }) => status);
  /** What the fleet remembers. */
  const held = async (about = resourceId) => (await resourceStore.read([about])).get(about);

  /** The signals of what was queued for later and is due, so many seconds on. */
  const due = (seconds: number): ResourceMessage[] => {
    clock.ms += seconds * 1000;
    const ready = later.filter(({ dueAtMs }) => dueAtMs <= clock.ms);
    for (const look of ready) later.splice(later.indexOf(look), 1);
    return ready.flatMap(({ event }) =>
      readMessage({ regions: ['us-east-1'], provider: 'ec2-sp', tagKeys, now, log, meter })(
        JSON.stringify(event),
      ),
    );
  };

  return {
    ...{
      clock,
      deadLetters,
      due,
      resourceStore,
      held,
      instances,
      later,
      log,
      meter,
      observations,
      recalls,
      republished,
    },
    ...{ reported, statuses, stream, told, worker },
  };
};
