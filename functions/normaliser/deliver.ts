import { type Release, releaseOf } from '../../shared/core/outbox.ts';
import { republicationTime, type UnpublishedStatus } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Retries } from '../../shared/ports/retries.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { PublicationAnswer } from '../../shared/wire/bridge.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { statusEvent } from '../../shared/wire/dcm-status.ts';
import { isRetried, settledKey } from './message-groups.ts';
import type { RecordedGroup } from './record.ts';

export type PublishingParts = SettlingParts & {
  readonly publisher: StatusPublisher;
  /** Puts a status that no retry can publish into the dead-letter queue. */
  readonly retries: Pick<Retries, 'deadLetter'>;
  readonly log: Log;
  readonly provider: string;
  /** How often a VM may change in ten seconds and be told of each time. */
  readonly burst: number;
};

/**
 * So many statuses of one VM go to the bridge at once. Each waits for the acknowledgement of the one before it, and the bridge has 10 s:
 * enough where an acknowledgement takes 200 ms.
 */
const maximumPerVm = 50;
/** No portion is begun later than this after the first: with the bridge's 10 s it ends within the normaliser's 15 s. */
const publishingMs = 4_000;

/**
 * Publishes what these VMs have unpublished and may be told of, then removes what was acknowledged or can never be published, and what that
 * made worthless, from their outboxes. In that order: a crash in between repeats the news, never loses it. A long outbox goes in portions, each settled before
 * the next; what is left when the time is over is published when SQS redelivers the messages.
 */
export const publishOutboxes = ({ publisher, retries, log, provider, burst, ...parts }: PublishingParts) => {
  const { meter, now } = parts;
  const settle = settleOutbox(parts);

  return (recorded: readonly RecordedGroup[]): Promise<Published[]> =>
    publishFrom(recorded, now() + publishingMs);

  async function publishFrom(recorded: readonly RecordedGroup[], untilMs: number): Promise<Published[]> {
    if (recorded.length === 0) return [];
    const portions = recorded.map(portionOf);
    const published = await publishPortions(portions);
    const unfinished = published.filter(
      ({ failure }, index) => failure === undefined && portions[index]?.isPart === true,
    );
    const later = now() < untilMs ? await publishFrom(unfinished, untilMs) : unfinished.map(postponed);
    const laterByLane = new Map(later.map((one) => [one.group, one]));
    return published.map((one) => {
      const last = laterByLane.get(one.group) ?? one;
      return last === one ? one : { ...last, told: [...one.told, ...last.told] };
    });
  }

  function portionOf(one: RecordedGroup): Portion {
    const release = releaseOf(one.vm, { burst, settled: settledKey(one.group), nowMs: now() });
    const tell = release.publish.slice(0, maximumPerVm);
    return { ...one, release: { ...release, publish: tell }, isPart: tell.length < release.publish.length };
  }

  async function publishPortions(portions: readonly Portion[]): Promise<Published[]> {
    const events = portions.flatMap(({ vm, release }) =>
      release.publish.map((status) => statusEvent(vm, status, provider)),
    );
    const { acknowledged, failed } = await publish(events);
    const outcome = {
      refused: await deadLetter(events, failed),
      told: new Set(acknowledged.map(({ id }) => id)),
      why: new Map(failed.map(({ id, reason }) => [id, reason])),
    };
    const published = await Promise.all(portions.map(({ isPart, ...one }) => settle(one, outcome)));
    const duplicates = new Map(
      acknowledged.flatMap((one) => (one.duplicate && !one.retried ? [[one.id, one]] : [])),
    );
    for (const [index, one] of published.entries()) {
      const isAlone = one.vm.latest?.id === portions[index]?.vm.latest?.id;
      if (isAlone && !isRetried(one.group)) reportTakenIds(one, duplicates);
    }
    return published;
  }

  /**
   * What this invocation added to the outbox was not published before, unless by another worker that found it there. So a duplicate means
   * that somebody else has published a message under its id, and that the stream dropped the status.
   */
  function reportTakenIds({ told, added, vm }: Published, duplicates: ReadonlyMap<string, Acknowledged>) {
    for (const { id } of told.filter(({ key }) => added.has(key))) {
      const duplicate = duplicates.get(id);
      if (duplicate === undefined) continue;
      const { stream, seq } = duplicate;
      meter.count('duplicateAtFirstAttempt');
      log.error('JetStream took the first attempt to publish a status for a duplicate', {
        ...{ id, dcmId: vm.dcmId, stream, seq },
      });
    }
  }

  /** @returns the ids of the statuses that are in the dead-letter queue, so that the VM's later ones need not wait for them. */
  async function deadLetter(
    events: readonly CloudEventJson[],
    failed: PublicationAnswer['failed'],
  ): Promise<ReadonlySet<string>> {
    const refused = new Set<string>();
    for (const { id, reason } of failed.filter(({ retryable }) => !retryable)) {
      const event = events.find((one) => one.id === id);
      if (event === undefined) continue;
      try {
        await retries.deadLetter(JSON.stringify(event), reason);
        log.error('a status can never be published; it is in the dead-letter queue', { id, reason });
        refused.add(id);
      } catch (error) {
        log.warn('a status could not be sent to the dead-letter queue; it is retried', { id, error });
      }
    }
    return refused;
  }

  async function publish(events: readonly CloudEventJson[]): Promise<PublicationAnswer> {
    if (events.length === 0) return { acknowledged: [], failed: [] };
    const answer = await publisher.publish(events);
    meter.count('published', answer.acknowledged.length);
    meter.count('duplicate', answer.acknowledged.filter(({ duplicate }) => duplicate).length);
    meter.count('unpublished', answer.failed.length);
    return answer;
  }
};

type Acknowledged = PublicationAnswer['acknowledged'][number];

type Portion = RecordedGroup & {
  readonly release: Release;
  /** It may be told more than this. */
  readonly isPart: boolean;
};

const postponed = (one: Published): Published => ({
  ...one,
  told: [],
  failure: `${one.vm.resourceId} has more statuses than could be published in the time; SQS redelivers the message`,
});

export type SettlingParts = {
  readonly resourceStore: ResourceStore;
  readonly now: Clock;
  readonly meter: Meter;
};

/** By the ids of the statuses. */
type Outcome = {
  /** Acknowledged. */
  readonly told: ReadonlySet<string>;
  /** Never to be published, and in the dead-letter queue. */
  readonly refused: ReadonlySet<string>;
  /** Why it was not acknowledged, where that is known. */
  readonly why: ReadonlyMap<string, string>;
};

/** What became of one lane's VM. */
export type Published = RecordedGroup & {
  readonly told: readonly UnpublishedStatus[];
  /** Why not all that may be told is told and settled; undefined where it is. */
  readonly failure: unknown;
};

/**
 * Removes from a VM's outbox what was acknowledged, what can never be published, and what the acknowledged superseded. Answers the VM as it
 * then is: with what was held back, or came in between, still to be told.
 */
const settleOutbox =
  ({ resourceStore, now, meter }: SettlingParts) =>
  async (
    { release, ...recorded }: RecordedGroup & { readonly release: Release },
    outcome: Outcome,
  ): Promise<Published> => {
    const told = release.publish.filter(({ id }) => outcome.told.has(id));
    const refused = release.publish.filter(({ id }) => outcome.refused.has(id));
    const notPublished = release.publish.find(({ id }) => !outcome.told.has(id) && !outcome.refused.has(id));
    const unpublished =
      notPublished && (outcome.why.get(notPublished.id) ?? `the bridge did not mention ${notPublished.id}`);
    const newest = told.at(-1);
    if (newest === undefined && refused.length === 0) return { ...recorded, told, failure: unpublished };

    for (const { at } of told.filter((status) => republicationTime(status) === undefined))
      meter.eventAge(now() - at * 1000);
    const superseded = newest ? release.superseded.filter(({ key }) => key < newest.key) : [];
    meter.count('debounced', superseded.length);
    const keys = [...told, ...refused, ...superseded].map(({ key }) => key);
    try {
      const { vm } = recorded;
      const settled = (await resourceStore.settle(vm, keys)) ?? { ...vm, outbox: [] }; // released: nothing more to tell
      return { ...recorded, vm: settled, told, failure: unpublished };
    } catch (failure) {
      return { ...recorded, told, failure };
    }
  };
