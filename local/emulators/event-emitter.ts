import { reasonOf } from '../../shared/core/errors.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import type { Random } from './random.ts';
import { timers } from './timers.ts';

/** Faults of the events that an emulator emits. */
export type EventFaults = {
  /** Probability that an event of any type is not emitted. */
  readonly loseEvents: number;
  /** Ids or ARNs of resources of which no event is emitted. */
  readonly loseEventsOf: readonly string[];
  /** Regions that never emit an event. */
  readonly silentRegions: readonly string[];
  /** Probability that an event is emitted twice, with the same id. */
  readonly repeatEvents: number;
  /** Probability that an event is emitted after the next event of its resource, or a second later where none follows. */
  readonly swapEvents: number;
  /** Probability that an event is emitted late, and by how many milliseconds. */
  readonly lateEvents: { readonly share: number; readonly ms: number };
};

export const noEventFaults: EventFaults = {
  loseEvents: 0,
  loseEventsOf: [],
  silentRegions: [],
  repeatEvents: 0,
  swapEvents: 0,
  lateEvents: { share: 0, ms: 0 },
};

/** How long an event that is to be swapped waits for the next event of its resource. */
const swapMs = 1000;

type Options = {
  readonly emit: (event: EventBridgeEvent) => void | Promise<void>;
  /** The faults of the place that an event is about. */
  readonly faults: (event: EventBridgeEvent) => EventFaults;
  readonly random: Random;
  /** Called for each event that `emit` rejected. */
  readonly log: (line: string) => void;
};

/** Emits events to EventBridge without retries. Disposing drops the events that are held back. */
export const eventEmitter = ({ emit, faults, random, log }: Options) => {
  const underWay = new Set<Promise<void>>();
  const lost: EventBridgeEvent[] = [];
  const heldBack = timers();
  const swapped = new Map<string, EventBridgeEvent>();
  const happens = (probability: number) => probability > 0 && random() < probability;

  const send = async (event: EventBridgeEvent): Promise<void> => {
    const sent = (async () => emit(event))().catch((error) => log(lossMessage(event, error)));
    underWay.add(sent);
    await sent;
    underWay.delete(sent);
  };
  const release = async (resourceId: string): Promise<void> => {
    const event = swapped.get(resourceId);
    swapped.delete(resourceId);
    heldBack.cancel(resourceId);
    if (event) await send(event);
  };

  return {
    /** Resolves when all `emit` calls have settled. */
    settled: () => Promise.all(underWay),
    /** The events that the faults `loseEvents` and `loseEventsOf` lost, in their order. Events of silent regions do not count. */
    lost: (): readonly EventBridgeEvent[] => lost,
    /** Never rejects. Resolves when `emit` has taken the event, or at once where a fault keeps it back. */
    emit: async (event: EventBridgeEvent): Promise<void> => {
      const { loseEvents, loseEventsOf, silentRegions, repeatEvents, swapEvents, lateEvents } = faults(event);
      const resourceId = resourceIdOf(event);
      if (silentRegions.includes(event.region)) return;
      const isNamed = [resourceId, ...event.resources].some((name) => loseEventsOf.includes(name));
      if (isNamed || happens(loseEvents)) return void lost.push(event);
      if (happens(lateEvents.share)) {
        return heldBack.after(event.id, lateEvents.ms, () => void send(event));
      }
      if (!swapped.has(resourceId) && happens(swapEvents)) {
        swapped.set(resourceId, event);
        return heldBack.after(resourceId, swapMs, () => void release(resourceId));
      }
      await send(event);
      if (happens(repeatEvents)) await send(event);
      await release(resourceId);
    },
    [Symbol.dispose]: () => heldBack[Symbol.dispose](),
  };
};

/** The last part of the resource's ARN. AWS Health's event has the id, all others have an ARN. */
export const resourceIdOf = ({ resources }: EventBridgeEvent): string =>
  resources[0]?.split('/').at(-1) ?? '';

const lossMessage = ({ resources, 'detail-type': detailType }: EventBridgeEvent, error: unknown): string =>
  `the event ${detailType} of ${resources.join(', ')} is lost: ${reasonOf(error)}`;
