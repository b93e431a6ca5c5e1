import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import {
  type Collection,
  type EntryChange,
  objectOf,
  type Place,
} from '../../shared/core/inventory/entry.ts';
import type { Tags } from '../../shared/core/ownership.ts';
import { type Target, targetKey, targetOf } from '../../shared/core/target.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { taskEntry, taskEntryId } from '../../shared/service-types/container/inventory.ts';
import { stateChange } from '../../shared/service-types/vm/events/state-change.ts';
import { tagChange } from '../../shared/service-types/vm/events/tag-change.ts';
import { type InstanceState, instanceStateOf } from '../../shared/service-types/vm/kind.ts';
import { EventBridgeEvent, secondOf } from '../../shared/wire/eventbridge.ts';
import { compactionRequestedIn } from '../../shared/wire/inventory-request.ts';

/** What a message of the queue means for the inventory. */
export type InventoryMessage = { readonly place: Place } & (
  | { readonly kind: 'compact' }
  /** A whole change. */
  | { readonly kind: 'change'; readonly change: EntryChange }
  /** An event about an instance, of which it says this alone. */
  | { readonly kind: 'state'; readonly id: string; readonly atSecond: number; readonly state: InstanceState }
  | { readonly kind: 'tags'; readonly id: string; readonly atSecond: number; readonly tags: Tags }
);

type Settings = {
  readonly targets: readonly Target[];
  readonly collections: ReadonlySet<Collection>;
  /** Undefined: events of any account are of the home account. */
  readonly homeAccount: string | undefined;
  readonly log: Log;
  readonly meter: Meter;
};

const Task = z.object({
  taskArn: z.string(),
  lastStatus: z.string(),
  healthStatus: z.optional(z.enum(['HEALTHY', 'UNHEALTHY', 'UNKNOWN'])),
  version: z._default(z.int(), 0),
  overrides: z.optional(
    z.looseObject({ containerOverrides: z.optional(z.array(z.record(z.string(), z.unknown()))) }),
  ),
});

/**
 * What a message of the inventory's queue means; empty for an event about a target, or of a kind, that the inventory does not have.
 * @throws UnreadableError where it is neither an event, as AWS documents its kind, nor a message of our own.
 */
export const readMessage = ({ targets, collections, homeAccount, log, meter }: Settings) => {
  const known = new Set(targets.map(targetKey));

  return (body: string): InventoryMessage[] => {
    try {
      const message: unknown = JSON.parse(body);
      const compacted = compactionRequestedIn(message);
      if (compacted !== undefined) return [{ kind: 'compact', place: compacted }];
      const event = EventBridgeEvent.parse(message);
      const target = targetOf(event, homeAccount);
      return known.has(targetKey(target)) ? inEvent(event, target) : dropForeign(event);
    } catch (cause) {
      throw new UnreadableError(`the message means nothing to the inventory: ${reasonOf(cause)}`, { cause });
    }
  };

  function inEvent(event: EventBridgeEvent, target: Target): InventoryMessage[] {
    const read = readers.get(`${event.source}/${event['detail-type']}`);
    if (read === undefined) {
      meter.count('unknownEvent');
      log.warn('dropped an event of a kind that is not handled', {
        ...{ source: event.source, detailType: event['detail-type'] },
      });
      return [];
    }
    return collections.has(read.collection)
      ? read.toMessages(event, { target, collection: read.collection })
      : [];
  }

  function dropForeign({ source, account, region }: EventBridgeEvent): InventoryMessage[] {
    const isHome = homeAccount === undefined || account === homeAccount;
    const isConfigured = isHome || targets.some((one) => one.account === account);
    meter.count(isConfigured ? 'unreportedRegion' : 'foreignAccount');
    log.warn('dropped an event about a target that is not configured', { source, account, region });
    return [];
  }
};

type Reader = {
  readonly collection: Collection;
  readonly toMessages: (event: EventBridgeEvent, place: Place) => InventoryMessage[];
};

/** Events of instances need nothing of a provider's identity. */
const noIdentity = {
  provider: '',
  tagKeys: { managedBy: '', instanceId: '', provider: '', serviceType: '' },
};

const instanceEvents: Reader = {
  collection: 'instances',
  toMessages: (event, place) => {
    const kind = event.source === stateChange.source ? stateChange : tagChange;
    return kind.toMessages(event, noIdentity).flatMap((message): InventoryMessage[] => {
      const { resourceId: id, at: atSecond } = message;
      if (message.kind === 'tag-change') return [{ kind: 'tags', place, id, atSecond, tags: message.tags }];
      if (message.kind !== 'observation') return [];
      return [{ kind: 'state', place, id, atSecond, state: instanceStateOf(message.state).state }];
    });
  },
};

/**
 * A task's event has the whole task but for its tags, and a version, which grows with each change.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs_task_events.html
 */
const taskEvents: Reader = {
  collection: 'containers',
  toMessages: (event, place) => {
    const { version, ...task } = Task.parse(event.detail);
    const at = secondOf(event) * 1000 + Math.min(version, 999);
    const entry = taskEntry({ ...event.detail, ...task });
    const change: EntryChange =
      entry === undefined
        ? { ended: { id: taskEntryId(task.taskArn), at } }
        : { entry: { ...entry, at, object: objectOf(entry.object) } };
    return [{ kind: 'change', place, change }];
  },
};

const readers: ReadonlyMap<string, Reader> = new Map([
  [`${stateChange.source}/${stateChange.detailType}`, instanceEvents],
  [`${tagChange.source}/${tagChange.detailType}`, instanceEvents],
  ['aws.ecs/ECS Task State Change', taskEvents],
]);
