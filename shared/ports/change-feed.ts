import type { Collection, Place } from '../core/inventory/entry.ts';
import { targetKey } from '../core/target.ts';
import type { AppliedChange } from './inventory.ts';

/** What happened, as the feed has it. */
export type Change =
  | {
      readonly kind: 'status';
      /** Id of the CloudEvent that DCM got. */
      readonly eventId: string;
      readonly dcmId: string;
      readonly serviceType: string;
      /** Key of the target (shared/core/target.ts). */
      readonly target: string;
      readonly status: string;
      readonly message?: string | undefined;
      /** RFC 3339, of the status in DCM. */
      readonly time: string;
      /** Id of the request to the API that caused it. */
      readonly requestId?: string | undefined;
    }
  | {
      readonly kind: 'inventory';
      readonly target: string;
      readonly collection: Collection;
      /** `listed`: so much changed at once that the collection must be read again; it has no id. */
      readonly change: 'changed' | 'ended' | 'listed';
      readonly id?: string | undefined;
    };

/** With more changes of a collection at once, reading it again is quicker than reading each of them. */
const mostAnnounced = 20;

/** Changes of a collection as the feed has them. */
export const inventoryChanges = (
  { target, collection }: Place,
  changes: readonly AppliedChange[],
): readonly Change[] => {
  const about = { kind: 'inventory' as const, target: targetKey(target), collection };
  if (changes.length > mostAnnounced) return [collectionListed({ target, collection })];
  return changes.map(({ id, change }) => ({ ...about, change, id }));
};

/** That a collection must be read again. */
export const collectionListed = ({ target, collection }: Place): Change => ({
  ...{ kind: 'inventory', target: targetKey(target), collection, change: 'listed' },
});

/** A change with its place in the feed. */
export type NumberedChange = { readonly cursor: string; readonly change: Change };

export type FeedPage = {
  readonly changes: readonly NumberedChange[];
  /** Read on after this one; as `after` where there was nothing new, but a newer one once a day, because cursors last as long as changes. */
  readonly next: string;
  /** When the newest change up to `next` was appended, at the latest; milliseconds since 1970. */
  readonly movedAtMs: number;
  /** Whether this was all there is at the moment. */
  readonly complete: boolean;
};

/** All changes in one order without gaps, kept for seven days. All rejections are UnavailableErrors, unless said otherwise. */
export type ChangeFeed = {
  /** After a rejection, none, some or all of the changes may be in the feed. */
  append(changes: readonly Change[]): Promise<void>;
  /** At most `limit` of the newest changes that were appended since `sinceMs`, oldest first. */
  newest(sinceMs: number, limit: number): Promise<readonly Change[]>;
  /**
   * At most `limit` changes after a cursor; without one, none, and `next` is the newest cursor.
   * @throws InvalidArgumentError for a text that is no cursor; GoneError where changes after the cursor are no longer kept.
   */
  read(after: string | undefined, limit: number): Promise<FeedPage>;
};
