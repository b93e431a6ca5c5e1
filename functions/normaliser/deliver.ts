import { UnavailableError } from '../../shared/core/errors.ts';
import { defaultBurst, type Release, releaseOf } from '../../shared/core/outbox.ts';
import {
  type Resource,
  republicationTime,
  type UnforwardedStatus,
  type UnpublishedStatus,
} from '../../shared/core/resource.ts';
import { targetOf } from '../../shared/core/target.ts';
import type { Forwarding } from '../../shared/ports/resource-store.ts';
import type { PublicationAnswer } from '../../shared/wire/bridge.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { statusEvent } from '../../shared/wire/dcm-status.ts';
import type { Parts } from './normalise.ts';
import { isRedelivered, settledKey } from './read-message.ts';
import type { RecordedGroup } from './record.ts';

/**
 * How many statuses of one resource are sent to the bridge at once. Each waits for the acknowledgement of the one before it, within the
 * bridge's timeout of 10 s: enough where an acknowledgement takes 200 ms.
 */
const maximumPerResource = 50;
/** No portion begins later than this after the first: with the bridge's 10 s it ends within the normaliser's 15 s. */
const publishingMs = 4_000;

/** So many statuses that the status bus has not taken are kept in a resource's item; each takes less than 1.3 KB of its 400 KB. */
const maximumUnforwarded = 64;

type Publishing = Pick<Parts, 'publisher' | 'retries' | 'provider' | 'meter' | 'log'>;
type ToBus = Pick<Parts, 'bus' | 'homeAccount' | 'provider' | 'meter' | 'log'>;
type Delivery = Publishing & ToBus & Pick<Parts, 'resourceStore' | 'burst' | 'now'>;

/** The result of publishing for one group's resource. */
export type Published = RecordedGroup & {
  /** The statuses that the stream acknowledged. */
  readonly acknowledged: readonly UnpublishedStatus[];
  /** Why some statuses are not published and settled; undefined where all that may be published are. */
  readonly failure: unknown;
};

/**
 * Publishes the unpublished statuses of these resources that the debounce does not hold back, then removes from the outboxes the
 * acknowledged ones, those that can never be published, and those that they superseded. In that order: after a crash in between, statuses
 * are published again and none is lost. A long outbox is published in portions, each settled before the next; the statuses that are left
 * when the time is over are published when SQS redelivers the messages.
 *
 * What the stream has acknowledged is put on the status bus before it leaves the outbox. What the bus does not take is kept in the item by
 * the write that removes it from the outbox, and put there with the resource's next message or follow-up: an outage of the bus holds back
 * and repeats nothing on its way to NATS.
 */
export const publishOutboxes = (parts: Delivery) => {
  const { provider, burst = defaultBurst, meter, log, now } = parts;
  const publish = publishEvents(parts);
  const forward = forwardToBus(parts);
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
    const laterByGroup = new Map(later.map((one) => [one.group, one]));
    return published.map((one) => {
      const last = laterByGroup.get(one.group) ?? one;
      return last === one ? one : { ...last, acknowledged: [...one.acknowledged, ...last.acknowledged] };
    });
  }

  function portionOf(one: RecordedGroup): Portion {
    const release = releaseOf(one.vm, { burst, settled: settledKey(one.group), nowMs: now() });
    const portion = release.publish.slice(0, maximumPerResource);
    return {
      ...one,
      release: { ...release, publish: portion },
      isPart: portion.length < release.publish.length,
    };
  }

  async function publishPortions(portions: readonly Portion[]): Promise<Published[]> {
    const outcome = await publish(
      portions.flatMap(({ vm, release }) =>
        release.publish.map((status) => statusEvent(vm, status, provider)),
      ),
    );
    const forwarding = await forward(
      portions.map(({ vm, release }) => ({
        vm,
        statuses: release.publish.filter(({ id }) => outcome.acknowledged.has(id)),
      })),
    );
    const published = await Promise.all(
      portions.map(({ isPart, ...one }) => settle({ ...one, forwarding: forwarding.get(one.vm) }, outcome)),
    );
    for (const [index, one] of published.entries()) {
      const isAlone = one.vm.latest?.id === portions[index]?.vm.latest?.id;
      if (isAlone && !isRedelivered(one.group)) reportTakenIds(one, outcome);
    }
    return published;
  }

  /**
   * A status that this invocation added to the outbox was not published before, unless by another worker that found it there. So a
   * duplicate means that another client has published a message under its id, and that the stream dropped the status. A warning and no
   * error, because the two cannot be told apart here: the alarm's runbook says how.
   */
  function reportTakenIds({ acknowledged, added, vm }: Published, { duplicates }: Outcome) {
    for (const { id } of acknowledged.filter(({ key }) => added.has(key))) {
      const duplicate = duplicates.get(id);
      if (duplicate === undefined) continue;
      const { stream, seq } = duplicate;
      meter.count('duplicateAtFirstAttempt');
      log.warn('JetStream took the first attempt to publish a status for a duplicate', {
        ...{ id, dcmId: vm.dcmId, stream, seq },
      });
    }
  }
};

/**
 * Publishes all of these statuses of one resource, without debounce, and dead-letters those that can never be published. Does not settle
 * them.
 * @throws UnavailableError where not all of them are acknowledged or dead-lettered.
 */
export const publishStatuses = (parts: Publishing) => {
  const publish = publishEvents(parts);

  return async (resource: Resource, statuses: readonly UnpublishedStatus[]): Promise<void> => {
    let rest = statuses;
    while (rest.length > 0) {
      const portion = rest.slice(0, maximumPerResource);
      const { acknowledged, refused, why } = await publish(
        portion.map((status) => statusEvent(resource, status, parts.provider)),
      );
      const open = rest.filter(({ id }) => !acknowledged.has(id) && !refused.has(id));
      const [first] = open;
      if (first !== undefined && portion.includes(first) && refused.size === 0)
        throw new UnavailableError(
          `the statuses of ${resource.dcmId} could not be published: ${why.get(first.id) ?? noAnswerFor(first)}`,
        );
      rest = open;
    }
  };
};

type Acknowledged = PublicationAnswer['acknowledged'][number];

/** By the ids of the statuses. */
type Outcome = {
  readonly acknowledged: ReadonlySet<string>;
  /** Statuses in the dead-letter queue, which can never be published. */
  readonly refused: ReadonlySet<string>;
  /** Why a status was not acknowledged, where that is known. */
  readonly why: ReadonlyMap<string, string>;
  /** Statuses that the stream took for duplicates at the bridge's first attempt. */
  readonly duplicates: ReadonlyMap<string, Acknowledged>;
};

const noAnswerFor = ({ id }: UnpublishedStatus) => `the bridge did not mention ${id}`;

/** Publishes events through the bridge, counts the results, and dead-letters events that can never be published. */
const publishEvents =
  ({ publisher, retries, meter, log }: Publishing) =>
  async (events: readonly CloudEventJson[]): Promise<Outcome> => {
    const { acknowledged, failed } =
      events.length === 0 ? { acknowledged: [], failed: [] } : await publisher.publish(events);
    meter.count('published', acknowledged.length);
    meter.count('duplicate', acknowledged.filter(({ duplicate }) => duplicate).length);
    meter.count('unpublished', failed.length);
    return {
      acknowledged: new Set(acknowledged.map(({ id }) => id)),
      refused: await deadLetter(failed),
      why: new Map(failed.map(({ id, reason }) => [id, reason])),
      duplicates: new Map(
        acknowledged.flatMap((one) => (one.duplicate && !one.retried ? [[one.id, one]] : [])),
      ),
    };

    /** @returns the ids of the statuses that are in the dead-letter queue, so that the resource's later ones need not wait for them. */
    async function deadLetter(refusals: PublicationAnswer['failed']): Promise<ReadonlySet<string>> {
      const refused = new Set<string>();
      for (const { id, reason } of refusals.filter(({ retryable }) => !retryable)) {
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
  };

type Portion = RecordedGroup & {
  readonly release: Release;
  /** The outbox has more statuses that may be published. */
  readonly isPart: boolean;
};

const postponed = (one: Published): Published => ({
  ...one,
  acknowledged: [],
  failure: `${one.vm.resourceId} has more statuses than could be published in the time; SQS redelivers the message`,
});

type Acknowledgement = { readonly vm: Resource; readonly statuses: readonly UnpublishedStatus[] };

/**
 * Puts on the status bus what it has not taken of these resources before, and then the statuses that were acknowledged now.
 * @returns for each resource what is to be kept and what no longer; no entry where that is nothing.
 */
export const forwardToBus =
  ({ bus, homeAccount, provider, meter, log }: ToBus) =>
  async (acknowledged: readonly Acknowledgement[]): Promise<ReadonlyMap<Resource, Forwarding>> => {
    const due = acknowledged.map(({ vm, statuses }) => ({
      vm,
      statuses: dueOf(vm, bus ? statuses : []),
    }));
    const events = due.flatMap(({ vm, statuses }) =>
      statuses.map((status) => ({
        event: statusEvent({ ...vm, dcmId: status.dcmId }, status, provider),
        target: targetOf(vm, homeAccount),
      })),
    );
    if (events.length === 0) return new Map();
    const taken = bus ? await bus.put(events) : new Set(events.map(({ event }) => event.id));
    if (taken.size > 0) meter.count('forwarded', taken.size);
    if (taken.size < events.length) meter.count('unforwarded', events.length - taken.size);
    return new Map(due.flatMap(({ vm, statuses }) => changesOf(vm, statuses, taken)));

    function changesOf(
      vm: Resource,
      statuses: readonly UnforwardedStatus[],
      taken: ReadonlySet<string>,
    ): [Resource, Forwarding][] {
      const held = new Set(vm.unforwarded?.map(({ key }) => key));
      const open = statuses.filter(({ id }) => !taken.has(id));
      const dropped = open.slice(0, -maximumUnforwarded);
      for (const { id, dcmId } of dropped)
        log.error('a status never comes to the status bus; too many of its resource wait', { id, dcmId });
      const kept = open.slice(-maximumUnforwarded);
      const keep = kept.filter(({ key }) => !held.has(key));
      const gone = statuses.filter((status) => held.has(status.key) && !kept.includes(status));
      return keep.length + gone.length === 0 ? [] : [[vm, { keep, forwarded: gone.map(({ key }) => key) }]];
    }
  };

/** A status may be in both, where it was published again. */
const dueOf = (
  { unforwarded = [], dcmId }: Resource,
  statuses: readonly UnpublishedStatus[],
): UnforwardedStatus[] => {
  const ids = new Set(unforwarded.map(({ id }) => id));
  return [...unforwarded, ...statuses.filter(({ id }) => !ids.has(id)).map((one) => ({ ...one, dcmId }))];
};

/**
 * Removes from a resource's outbox the statuses that were acknowledged, can never be published, or were superseded by acknowledged ones.
 * The resource in the result still has the statuses that were held back, or were added meanwhile.
 */
const settleOutbox =
  ({ resourceStore, now, meter }: Pick<Parts, 'resourceStore' | 'now' | 'meter'>) =>
  async (
    {
      release,
      forwarding,
      ...recorded
    }: RecordedGroup & { readonly release: Release; readonly forwarding: Forwarding | undefined },
    outcome: Outcome,
  ): Promise<Published> => {
    const acknowledged = release.publish.filter(({ id }) => outcome.acknowledged.has(id));
    const refused = release.publish.filter(({ id }) => outcome.refused.has(id));
    const open = release.publish.find(({ id }) => !outcome.acknowledged.has(id) && !outcome.refused.has(id));
    const unpublished = open && (outcome.why.get(open.id) ?? noAnswerFor(open));
    const newest = acknowledged.at(-1);
    if (newest === undefined && refused.length === 0 && forwarding === undefined)
      return { ...recorded, acknowledged, failure: unpublished };

    for (const { at } of acknowledged.filter((status) => republicationTime(status) === undefined))
      meter.eventAge(now() - at * 1000);
    const superseded = newest ? release.superseded.filter(({ key }) => key < newest.key) : [];
    meter.count('debounced', superseded.length);
    const keys = [...acknowledged, ...refused, ...superseded].map(({ key }) => key);
    try {
      const { vm } = recorded;
      const settled = (await resourceStore.settle(vm, keys, forwarding)) ?? {
        ...vm,
        outbox: [],
        unforwarded: [],
      }; // ownership was removed: nothing more to publish
      return { ...recorded, vm: settled, acknowledged, failure: unpublished };
    } catch (failure) {
      return { ...recorded, acknowledged, failure };
    }
  };
