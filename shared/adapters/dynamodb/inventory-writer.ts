import { LRUCache } from 'lru-cache';
import { UnavailableError } from '../../core/errors.ts';
import {
  type Change,
  type Changes,
  isLater,
  noChanges,
  withLogged,
  withoutContent,
} from '../../core/inventory/changes.ts';
import { heldIn, type Index } from '../../core/inventory/directory.ts';
import {
  canonical,
  type Entry,
  type EntryChange,
  listedAt,
  type Place,
  placeKey,
} from '../../core/inventory/entry.ts';
import type { ChangeFeed } from '../../ports/change-feed.ts';
import type { AppliedChange, InventoryWriter, RequestCompaction } from '../../ports/inventory.ts';
import { logStart, type Position } from './append-log.ts';
import { announceFromLog, appliedBy } from './inventory-announcements.ts';
import { digestOf, type InventoryStorage, type LoggedEntry } from './inventory-storage.ts';

/** From so many changes, or log entries, on a base is replaced. */
const longLog = 500;
const readAtOnce = 1_000;
const attempts = 3;
/** DynamoDB has room for 400 KB; an object is part of an item of the log. */
const largestObject = 250 * 1024;

type Parts = {
  readonly storage: InventoryStorage;
  readonly requestCompaction: RequestCompaction;
  readonly feed: Pick<ChangeFeed, 'append'>;
};

/** A collection as writers know it. */
type Known = {
  readonly base: number;
  readonly index: Index;
  /** Without contents. */
  readonly changes: Changes<undefined>;
  readonly hasHead: boolean;
  /** Whether the feed lacks some of it. */
  readonly isPending: boolean;
};

/** The log of a base, as far as it was read. */
type Read = {
  readonly changes: Changes<undefined>;
  readonly next: Position;
  /** Number of the newest entry that is not the mark of a listing; 0: none. */
  readonly lastChange: number;
};

type Logging = Exclude<LoggedEntry, { readonly listed: number }>;

export const dynamoDbInventoryWriter = ({ storage, requestCompaction, feed }: Parts): InventoryWriter => {
  const logs = new LRUCache<string, Read>({ max: 200 });
  const announce = announceFromLog(storage, feed);

  const known = async (place: Place): Promise<Known> => {
    const head = await storage.head(place);
    const base = head?.base ?? 0;
    if (head === undefined) await storage.notePlace(place, true);
    const index = await storage.index(place, base);
    const directory = await storage.base(place, base);
    if (directory === undefined) throw replaced(place);
    const name = `${placeKey(place)} ${base}`;
    let read = logs.get(name) ?? { changes: noChanges(directory), next: logStart, lastChange: 0 };
    const log = storage.log(place, base);
    for (let complete = false; !complete; ) {
      const page = await log.read(read.next, readAtOnce);
      const logged = page.entries.map(({ entry }) => withoutContent(entry));
      const last = page.entries.findLast(({ entry }) => !('listed' in entry))?.position.number;
      read = {
        changes: withLogged(read.changes, logged),
        next: page.next,
        lastChange: last ?? read.lastChange,
      };
      complete = page.complete;
    }
    logs.set(name, read);
    const isPending =
      head !== undefined && (head.announced === undefined || head.announced < read.lastChange);
    return { base, index, changes: read.changes, hasHead: head !== undefined, isPending };
  };

  /**
   * Appends what `decide` finds to be new, compared with the base of the log that it is appended to. That base never changes, so the
   * comparison holds whatever others append meanwhile.
   */
  const append = async (
    place: Place,
    decide: (known: Known) => Promise<readonly LoggedEntry[]>,
  ): Promise<readonly AppliedChange[]> => {
    for (let attempt = 0; attempt < attempts; attempt += 1) {
      const now = await known(place);
      const logged = await decide(now);
      if (await isStored(place, now, logged)) return announced(place, now, logged.flatMap(appliedBy));
    }
    throw replaced(place);
  };

  /** False where the base is being replaced. */
  const isStored = async (place: Place, now: Known, logged: readonly LoggedEntry[]): Promise<boolean> => {
    if (logged.length === 0) return true;
    const isAppended = (await storage.log(place, now.base).append(logged)) !== undefined;
    if (!isAppended || isCompactionDue(now, logged)) await requestCompaction(place);
    return isAppended;
  };

  const announced = async (
    place: Place,
    { isPending, hasHead }: Known,
    applied: readonly AppliedChange[],
  ) => {
    if (isPending || (hasHead && applied.length > 0)) await announce(place);
    return applied;
  };

  return {
    change: (place, changes) =>
      append(place, async (now) => {
        const latest = new Map<string, Logging>();
        for (const change of changes) {
          const one = loggedOf(change, now);
          const held = latest.get(one.id) ?? heldBy(now, one.id);
          if (isNew(one, held) && isLater(one, held, now.changes.listedAtMs)) latest.set(one.id, one);
        }
        return [...latest.values()];
      }),

    async observePage(place, { startedAtMs, page }, entries) {
      const at = listedAt({ startedAtMs });
      const shown = new Map(entries.map((entry) => [entry.id, entry]));
      const applied = await append(place, async (now) =>
        [...shown.values()]
          .map((entry) => loggedOf({ entry: { ...entry, at } }, now))
          .filter((one) => {
            const held = heldBy(now, one.id);
            return held?.digest !== one.digest && isLater(one, held, now.changes.listedAtMs);
          }),
      );
      const ids = [...shown.keys()].sort();
      const digest = digestOf(ids.join('\n'));
      if ((await storage.pages(place)).get(page) !== digest)
        await storage.writePage(place, page, ids, digest);
      return applied;
    },

    complete: (place, { startedAtMs, pages }) =>
      append(place, async (now) => {
        const at = listedAt({ startedAtMs });
        const { listedAtMs, members: before } = now.changes;
        if (listedAtMs !== undefined && listedAtMs >= at) {
          if (!now.hasHead) await requestCompaction(place);
          return [];
        }
        const digests = await storage.pages(place);
        const ofPages = Array.from({ length: pages }, (_, page) => digests.get(page) ?? '');
        const members = digestOf(ofPages.join(' '));
        const ended = before === members ? [] : await missing(place, now, ofPages, at);
        return [...ended, { listed: at, members }];
      }),
  };

  /** Ends what the listing did not show and what nothing later shows. */
  async function missing(
    place: Place,
    { index, changes: { newest } }: Known,
    digests: readonly string[],
    at: number,
  ): Promise<readonly Logging[]> {
    const shown = await shownOn(place, digests);
    const ended = (id: string, heldAt: number, inBase: boolean) =>
      shown.has(id) || heldAt > at ? [] : [{ id, at, inBase }];
    return [
      ...index.ids.flatMap((id, n) => (newest.has(id) ? [] : ended(id, index.ats[n] ?? 0, true))),
      ...[...newest.values()].flatMap(({ id, at: heldAt, digest, inBase }) =>
        digest === undefined ? [] : ended(id, heldAt, inBase),
      ),
    ];
  }

  /** The ids on pages with these digests. */
  async function shownOn(place: Place, digests: readonly string[]): Promise<ReadonlySet<string>> {
    const stored = new Map((await storage.members(place, digests.length)).map((one) => [one.page, one]));
    const shown = new Set<string>();
    for (const [page, digest] of digests.entries()) {
      const held = stored.get(page);
      if (held?.digest !== digest) {
        await storage.forgetPage(place, page);
        throw new UnavailableError(
          `page ${page} of the listing of ${placeKey(place)} is not stored as it was listed; the next listing stores it again`,
        );
      }
      for (const id of held.ids) shown.add(id);
    }
    return shown;
  }
};

const isCompactionDue = ({ changes, hasHead }: Known, logged: readonly LoggedEntry[]): boolean =>
  Math.max(changes.entries, changes.newest.size) + logged.length >= longLog ||
  (!hasHead && logged.some((one) => 'listed' in one));

const replaced = (place: Place) =>
  new UnavailableError(`the base of ${placeKey(place)} is being replaced; a retry in some seconds helps`);

const heldBy = ({ index, changes }: Known, id: string) => changes.newest.get(id) ?? heldIn(index, id);

const loggedOf = (change: EntryChange, { index }: Known): Logging => {
  const { id, at } = 'entry' in change ? change.entry : change.ended;
  const inBase = heldIn(index, id)?.inBase ?? false;
  if (!('entry' in change)) return { id, at, inBase };
  const content = bounded(change.entry);
  const { at: _, ...compared } = content;
  return { id, at, inBase, digest: digestOf(canonical(compared)), content };
};

/** False for what is held already: the message of a change was delivered again. */
const isNew = ({ at, digest }: Logging, held: Pick<Change<unknown>, 'at' | 'digest'> | undefined): boolean =>
  held === undefined || at !== held.at || digest !== held.digest;

const bounded = (entry: Entry): Entry => {
  const bytes = Buffer.byteLength(JSON.stringify(entry.object));
  return bytes > largestObject ? { ...entry, object: { omitted: `the object has ${bytes} bytes` } } : entry;
};
