import {
  type Entry,
  type EntryChange,
  listingLagMs,
  type Place,
  placeKey,
} from '../../shared/core/inventory/entry.ts';
import type { Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { maximumDescribed } from '../../shared/ports/described-resources.ts';
import type { InventoryMaintenance, InventoryReader, InventoryWriter } from '../../shared/ports/inventory.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { unlessFailing } from '../../shared/runtime/breaker.ts';
import type { ec2Collections } from '../../shared/service-types/vm/ec2/collections.ts';
import { stateEventChange, tagEventChange } from '../../shared/service-types/vm/inventory.ts';
import type { InventoryMessage } from './read-message.ts';

const describeTimeoutMs = 3_000;

type Parts = {
  readonly reader: InventoryReader;
  readonly writer: InventoryWriter;
  readonly maintenance: Pick<InventoryMaintenance, 'compact'>;
  readonly instances: Pick<ReturnType<typeof ec2Collections>, 'describeInstances'>;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

type Message = {
  readonly messageId: string;
  readonly resourceMessages: readonly InventoryMessage[];
};

/** What the messages of a batch mean for one collection. */
type Work = {
  readonly place: Place;
  readonly messages: InventoryMessage[];
  readonly messageIds: Set<string>;
};

/**
 * Applies a batch of messages to the inventory. Each collection by itself: one whose table, or whose
 * EC2, does not answer delays no other.
 * @returns why messages could not be processed, by message id.
 */
export const applyMessages = ({ reader, writer, maintenance, instances, now, log, meter }: Parts) => {
  /** Few workers take all messages, so those of a target that fails must not make each of them wait. */
  const unlessEc2Fails = unlessFailing('EC2', now);

  return async (batch: readonly Message[]): Promise<ReadonlyMap<string, unknown>> => {
    const failed = new Map<string, unknown>();
    await Promise.all(
      workOf(batch).map((work) =>
        apply(work).catch((error: unknown) => {
          for (const messageId of work.messageIds) failed.set(messageId, error);
        }),
      ),
    );
    return failed;
  };

  async function apply({ place, messages }: Work): Promise<void> {
    const changes = await changesOf(place, messages);
    if (changes.length > 0) await writer.change(place, changes);
    if (messages.some(({ kind }) => kind === 'compact')) await maintenance.compact(place);
  }

  /** The changes in the order of their events, each from what the one before leads to. */
  async function changesOf(
    place: Place,
    messages: readonly InventoryMessage[],
  ): Promise<readonly EntryChange[]> {
    const whole = messages.flatMap((message) => (message.kind === 'change' ? [message.change] : []));
    const partial = messages.filter(isPartial).sort((one, other) => one.atSecond - other.atSecond);
    if (partial.length === 0) return whole;
    const known = await knownOf(place, partial);
    const described = await describe(
      place.target,
      partial.filter((one) => !known.has(one.id) && !isTermination(one)).map(({ id }) => id),
    );
    const changes = partial.flatMap((message): EntryChange[] => {
      const change = changeOf(message, known.get(message.id));
      if (change === undefined) return [];
      if ('entry' in change) known.set(message.id, change.entry);
      else known.delete(message.id);
      return [change];
    });
    return [...whole, ...described.map((entry) => ({ entry })), ...changes];
  }

  async function knownOf(place: Place, messages: readonly Partial[]): Promise<Map<string, Entry>> {
    const snapshot = await reader.snapshot(place);
    const ids = [...new Set(messages.map(({ id }) => id))];
    const found = await Promise.all(ids.map((id) => snapshot?.find(id)));
    return new Map(found.flatMap((entry) => (entry === undefined ? [] : [[entry.id, entry]])));
  }

  /** One call for all instances of a target that the inventory does not know. What EC2 shows is as new as the call, less its delay. */
  async function describe(target: Target, ids: readonly string[]): Promise<readonly Entry[]> {
    const asked = [...new Set(ids)].slice(0, maximumDescribed);
    if (asked.length === 0) return [];
    const at = now() - listingLagMs;
    const found = await unlessEc2Fails(target, () => {
      meter.count('inventoryCalls');
      return instances.describeInstances(target, asked, describeTimeoutMs);
    });
    if (found.size < asked.length)
      log.info('EC2 does not show instances that events are about; a listing will', {
        ...{ asked: asked.length, found: found.size },
      });
    return [...found.values()].map((entry) => ({ ...entry, at }));
  }
};

type Partial = Extract<InventoryMessage, { readonly atSecond: number }>;

const isPartial = (message: InventoryMessage): message is Partial => 'atSecond' in message;

const isTermination = (message: Partial): boolean =>
  message.kind === 'state' && message.state === 'terminated';

const changeOf = (message: Partial, known: Entry | undefined): EntryChange | undefined => {
  if (message.kind === 'state') return stateEventChange(message, known);
  return known && tagEventChange(known, message.tags, message.atSecond);
};

const workOf = (batch: readonly Message[]): readonly Work[] => {
  const works = new Map<string, Work>();
  for (const { messageId, resourceMessages } of batch)
    for (const message of resourceMessages) {
      const key = placeKey(message.place);
      const work = works.get(key) ?? {
        ...{ place: message.place, messages: [], messageIds: new Set<string>() },
      };
      works.set(key, work);
      work.messages.push(message);
      work.messageIds.add(messageId);
    }
  return [...works.values()];
};
