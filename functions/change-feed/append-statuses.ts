import * as z from 'zod/mini';
import type { Change, ChangeFeed } from '../../shared/ports/change-feed.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { busEvent, readBusEvent, serviceTypeOf } from '../../shared/wire/status-bus.ts';

const BusEvent = busEvent({
  ...{ id: z.string().check(z.minLength(1)), time: z.string() },
  requestid: z.optional(z.string()),
});

type StatusChange = Extract<Change, { readonly kind: 'status' }>;

/** @throws UnreadableError for a message that is no status of the bus. */
export const readStatus = (body: string): StatusChange[] =>
  readBusEvent(body, (json) => {
    const { resources, detail } = BusEvent.parse(json);
    const { id: dcmId, status, message } = detail.data;
    return [
      {
        kind: 'status',
        eventId: detail.id,
        dcmId,
        serviceType: serviceTypeOf(detail),
        target: resources[0],
        status,
        message,
        time: detail.time,
        ...(detail.requestid !== undefined && { requestId: detail.requestid }),
      },
    ];
  });

/** SQS redelivers a message of a crashed invocation after its visibility timeout, and one that failed after a minute at most. */
const redeliveryMs = 15 * 60_000;
/** Statuses beyond these are not compared. */
const maximumNewest = 1000;

type Message = {
  readonly messageId: string;
  readonly isRetry: boolean;
  readonly resourceMessages: readonly StatusChange[];
};
type Parts = {
  readonly feed: Pick<ChangeFeed, 'append' | 'newest'>;
  readonly now: Clock;
  readonly log: Pick<Log, 'warn'>;
};

/**
 * Appends a batch to the change feed, in one write, without the statuses that it has already. Those of the last 15 minutes are read where
 * a message was delivered before; this function's own are remembered, because the bus delivers some events twice.
 * @returns why SQS must redeliver messages, by message id.
 */
export const appendStatuses = ({ feed, now, log }: Parts) => {
  const appended = new Map<string, number>();

  return async (messages: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const isRetry = messages.some((message) => message.isRetry);
    const known = new Set([...appended.keys(), ...(isRetry ? await idsInFeed() : [])]);
    const statuses = new Map(
      messages.flatMap(({ resourceMessages }) => resourceMessages).map((one) => [one.eventId, one]),
    );
    const changes = [...statuses.values()].filter(({ eventId }) => !known.has(eventId));
    if (changes.length === 0) return new Map();
    try {
      await feed.append(changes);
    } catch (error) {
      log.warn('changes are not in the feed; SQS delivers them again', { count: changes.length, error });
      return new Map(messages.map(({ messageId }) => [messageId, error]));
    }
    remember(changes);
    return new Map();
  };

  async function idsInFeed(): Promise<string[]> {
    const newest = await feed.newest(now() - redeliveryMs, maximumNewest);
    return newest.flatMap((change) => (change.kind === 'status' ? [change.eventId] : []));
  }

  function remember(changes: readonly StatusChange[]) {
    for (const { eventId } of changes) appended.set(eventId, now());
    for (const [eventId, atMs] of appended) {
      if (appended.size <= maximumNewest && now() - atMs < redeliveryMs) return;
      appended.delete(eventId);
    }
  }
};
