import type { EventBridgeClient, PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { reasonOf } from '../../core/errors.ts';
import { targetKey } from '../../core/target.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StatusBus, StatusOnBus } from '../../ports/status-bus.ts';
import type { Log } from '../../ports/telemetry.ts';

/** EventBridge's limits for one PutEvents request. @see https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html */
const maximumEntries = 10;
const maximumBytes = 256 * 1024;
/** The normaliser's next batch waits for this call. */
const timeoutMs = 1_000;
/** After a failed call, so that an outage of the bus does not slow the statuses on their way to NATS. */
const pauseMs = 20_000;

type Options = {
  /** Name or ARN of the event bus. */
  readonly bus: string;
  readonly log: Pick<Log, 'warn'>;
  readonly now?: Clock;
  /** @default a client of the function's region */
  readonly client?: () => EventBridgeClient;
};

/** The status bus in EventBridge. The client is loaded at the first use, and only where there is a bus. */
export const eventBridgeStatusBus = ({ bus, log, now = Date.now, client }: Options): StatusBus => {
  type Sdk = typeof import('@aws-sdk/client-eventbridge');
  let loaded: Promise<{ readonly sdk: Sdk; readonly events: EventBridgeClient }> | undefined;
  const load = async () => {
    const sdk = await import('@aws-sdk/client-eventbridge');
    const events =
      client?.() ??
      new sdk.EventBridgeClient({
        maxAttempts: 2,
        requestHandler: {
          requestTimeout: timeoutMs,
          connectionTimeout: timeoutMs,
          throwOnRequestTimeout: true,
        },
      });
    return { sdk, events };
  };
  let pausedUntilMs = 0;

  const send = async (portion: readonly StatusOnBus[], taken: Set<string>): Promise<void> => {
    if (now() < pausedUntilMs) return;
    try {
      loaded ??= load();
      const { sdk, events } = await loaded;
      const command = new sdk.PutEventsCommand({ Entries: portion.map((status) => entryOf(status, bus)) });
      const { Entries = [] } = await events.send(command, {
        abortSignal: AbortSignal.timeout(2 * timeoutMs),
      });
      for (const [index, { EventId, ErrorCode, ErrorMessage }] of Entries.entries()) {
        const id = portion[index]?.event.id;
        if (id !== undefined && EventId !== undefined) taken.add(id);
        else
          log.warn('the status bus refused a status; it is put again', {
            id,
            reason: `${ErrorCode}: ${ErrorMessage}`,
          });
      }
    } catch (error) {
      pausedUntilMs = now() + pauseMs;
      log.warn('the status bus did not answer; the statuses are put again', {
        count: portion.length,
        reason: reasonOf(error),
        error,
      });
    }
  };

  return {
    async put(statuses) {
      const taken = new Set<string>();
      for (const round of roundsOf(statuses)) {
        const isOpen = ({ event }: StatusOnBus) =>
          earlierOf(statuses, event).every(({ id }) => taken.has(id));
        for (const portion of portionsOf(round.filter(isOpen))) await send(portion, taken);
      }
      return taken;
    },
  };
};

const keyOf = ({ partitionkey, id }: StatusOnBus['event']): string => partitionkey ?? id;

/** The events of the same key before one. */
const earlierOf = (statuses: readonly StatusOnBus[], event: StatusOnBus['event']): StatusOnBus['event'][] => {
  const same = statuses.map((one) => one.event).filter((one) => keyOf(one) === keyOf(event));
  return same.slice(0, same.indexOf(event));
};

/** First the first status of every key, then the second ones: the entries of one request have no order. */
const roundsOf = (statuses: readonly StatusOnBus[]): StatusOnBus[][] => {
  const rounds: StatusOnBus[][] = [];
  const counts = new Map<string, number>();
  for (const status of statuses) {
    const count = counts.get(keyOf(status.event)) ?? 0;
    counts.set(keyOf(status.event), count + 1);
    const round = rounds[count];
    if (round) round.push(status);
    else rounds.push([status]);
  }
  return rounds;
};

const portionsOf = (statuses: readonly StatusOnBus[]): StatusOnBus[][] => {
  const portions: StatusOnBus[][] = [];
  let bytes = 0;
  for (const status of statuses) {
    const size = sizeOf(status);
    const last = portions.at(-1);
    if (last && last.length < maximumEntries && bytes + size <= maximumBytes) {
      last.push(status);
      bytes += size;
    } else {
      portions.push([status]);
      bytes = size;
    }
  }
  return portions;
};

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html (Calculating PutEvents event entry size) */
const sizeOf = ({ event, target }: StatusOnBus): number =>
  14 +
  [event.source, event.type, JSON.stringify(event), targetKey(target)].reduce(
    (sum, text) => sum + Buffer.byteLength(text),
    0,
  );

/** The detail is the whole CloudEvent. Its target is the only resource, because the CloudEvent has no account. */
const entryOf = ({ event, target }: StatusOnBus, bus: string): PutEventsRequestEntry => ({
  EventBusName: bus,
  Source: event.source,
  DetailType: event.type,
  ...(typeof event.time === 'string' && { Time: new Date(event.time) }),
  Resources: [targetKey(target)],
  Detail: JSON.stringify(event),
});
