import { reasonOf, UnavailableError, UnreadableError } from '../../shared/core/errors.ts';
import type { EventStream } from '../../shared/ports/event-stream.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import { asRetried, type PublicationAnswer } from '../../shared/wire/bridge.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';

/** How many events may wait for an acknowledgement at once. Measured: beyond 500, JetStream gets no faster. */
const maximumInFlight = 500;

/**
 * Publishes every event in the order that the StatusPublisher port defines, and answers for each whether the stream acknowledged it. A
 * retryable failure on one connection is retried once on a new one; the event's id makes that safe.
 */
export const publishEvents = (stream: EventStream): StatusPublisher => ({
  async publish(events) {
    const first = await attempt(stream, events);
    const retryable = new Set(first.failed.filter((one) => one.retryable).map(({ id }) => id));
    if (retryable.size === 0) return first;

    stream.abandon();
    const second = await attempt(
      stream,
      events.filter(({ id }) => retryable.has(id)),
    );
    const final = first.failed.filter((one) => !one.retryable);
    return {
      acknowledged: [...first.acknowledged, ...asRetried(second.acknowledged)],
      failed: [...final, ...second.failed],
    };
  },
});

const attempt = async (
  stream: EventStream,
  events: readonly CloudEventJson[],
): Promise<PublicationAnswer> => {
  const answer: PublicationAnswer = { acknowledged: [], failed: [] };
  try {
    await stream.ready();
  } catch (error) {
    return { acknowledged: [], failed: events.map(({ id }) => notPublished(id, error)) };
  }
  const groups = groupsOf(events).values();
  const workers = Math.min(events.length, maximumInFlight);
  await Promise.all(Array.from({ length: workers }, () => publishGroups(stream, groups, answer)));
  return answer;
};

/** One of many workers that share the groups. All in one function: one more call for each event is measurably slower. */
const publishGroups = async (
  stream: EventStream,
  groups: Iterable<readonly CloudEventJson[]>,
  answer: PublicationAnswer,
): Promise<void> => {
  for (const group of groups) {
    for (const event of group) {
      try {
        const { stream: name, seq, duplicate } = await stream.append(event);
        answer.acknowledged.push({ id: event.id, stream: name, seq, duplicate });
      } catch (error) {
        const failures = failuresOf(group, event, error);
        answer.failed.push(...failures);
        if (failures[0]?.retryable) break;
      }
    }
  }
};

/** One group for the events of each key, and one for each event without a key. */
const groupsOf = (events: readonly CloudEventJson[]): CloudEventJson[][] => {
  const groups = new Map<string | CloudEventJson, CloudEventJson[]>();
  for (const event of events) {
    const group = groups.get(event.partitionkey ?? event);
    if (group) group.push(event);
    else groups.set(event.partitionkey ?? event, [event]);
  }
  return [...groups.values()];
};

/** The failures of an event and of the events after it in its group, which wait for it unless it can never be published. */
const failuresOf = (group: readonly CloudEventJson[], event: CloudEventJson, error: unknown): Failure[] => {
  const failure = notPublished(event.id, error);
  if (!failure.retryable) return [failure];
  const waiting = new UnavailableError(`${event.id} must go first`);
  return [failure, ...group.slice(group.indexOf(event) + 1).map(({ id }) => notPublished(id, waiting))];
};

type Failure = PublicationAnswer['failed'][number];

const notPublished = (id: string, error: unknown): Failure => ({
  id,
  retryable: !(error instanceof UnreadableError),
  reason: reasonOf(error),
});
