import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import {
  GoneError,
  InvalidArgumentError,
  reasonOf,
  UnavailableError,
  UnreadableError,
} from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import { tableError } from './errors.ts';
import { formatAttribute, refuseNewerFormat } from './format.ts';

/** A place in a log: after the entry with this number; 0 is before the first one. */
export type Position = {
  readonly number: number;
  /** No entry after this place was appended before, in milliseconds since 1970. A log whose entries expire refuses older places. */
  readonly atMs: number;
  /**
   * The item that the place is in, or at the end of. Only a log whose entries expire knows the end of an item so: whoever holds such a place
   * may come back to a table that was restored or created anew.
   */
  readonly item?: ItemName | undefined;
};

/** `writer`: differs from that of any item with this number in another table. */
export type ItemName = { readonly first: number; readonly writer: string };

/** Before the first entry. */
export const logStart: Position = { number: 0, atMs: 0 };

/** An entry, with the place after it. */
export type LogEntry<Entry> = { readonly entry: Entry; readonly position: Position };

export type LogPage<Entry> = {
  /** Ascending. */
  readonly entries: readonly LogEntry<Entry>[];
  /** Read on from here. As `after` where there was nothing new; only a new time, once in a seventh of the entries' time. */
  readonly next: Position;
  /** Whether there was no further entry at the moment. */
  readonly complete: boolean;
  /** The log has been read to its end, and takes no further entries. */
  readonly sealed: boolean;
};

/**
 * Entries in one order, numbered 1, 2, 3 … Any number of functions may append and read at once. All rejections are UnavailableErrors, unless
 * said otherwise; an UnreadableError for items that another program wrote, a RefusedRequestError where no retry helps.
 */
export type AppendLog<Entry> = {
  /**
   * Appends entries, in their order: a hundred, or 300 KB of JSON, are one item and one write. Entries of others may come between two items.
   * After a rejection, none, some or all of them may be in the log.
   * @returns the number of the first one; undefined where the log is sealed: then some of the first items may be in it.
   * @throws InvalidArgumentError for an entry of more than 300 KB.
   */
  append(entries: readonly Entry[]): Promise<number | undefined>;
  /**
   * At most `limit` entries after a place.
   * @throws GoneError where entries after it may have expired; in a log whose entries expire, also for a place that another log gave, such
   * as one of this name in a lost table.
   */
  read(after: Position, limit: number): Promise<LogPage<Entry>>;
  /** The end of the log, with at most `limit` of the newest entries, ascending, that were appended since `sinceMs`. One query. */
  tail(newest?: { readonly sinceMs: number; readonly limit: number }): Promise<LogPage<Entry>>;
  /** Refuses all appends from now on. @returns the place after the last entry. */
  seal(): Promise<Position>;
};

type Options<Entry> = {
  readonly client: DynamoDBDocumentClient;
  /** A table with the partition key `pk`, a string, the sort key `sk`, a number, and the TTL attribute `expiresAt`. */
  readonly table: string;
  /** The partition key of all items of this log. */
  readonly name: string;
  readonly schema: z.ZodMiniType<Entry>;
  /** How long entries are kept, in milliseconds. @default for ever */
  readonly keepMs?: number | undefined;
  readonly now?: Clock;
};

const maximumEntries = 100;
const maximumBytes = 300 * 1024;
/** Smaller items cost one write unit anyway. */
const compressedFromBytes = 900;
/** Each failed attempt means that another writer has appended. */
const maximumAttempts = 50;
const rememberedMs = 60_000;
const hourMs = 3_600_000;
/** How long a place before the first entry is valid in a log whose entries expire. It names no item, so that of another log looks the same. */
const startKeptMs = hourMs;
/** DynamoDB deletes an item so long after its entries may no longer be read, at the earliest. */
const deletedAfterMs = 24 * hourMs;
/** A log that nobody has appended to for its time and this goes on in a new block, while its newest item still exists. */
const idleMs = 12 * hourMs;
/** In each block of numbers that is used, one item never expires, so that no number is used twice. */
const blockSize = 1_000_000;

const Item = z.object({
  pk: z.string(),
  /** Number of the first entry. */
  sk: z.int(),
  /** 0 in an item that ends the log, or its block: then the log goes on with the first number of the next block. */
  count: z.int(),
  ends: z.optional(z.enum(['log', 'block'])),
  at: z.int(),
  /** Drawn for each write: tells a writer whose answer was lost that the item is its own. */
  writer: z.string(),
  /** JSON of the entries, compressed where it is long. */
  entries: z.union([z.string(), z.instanceof(Uint8Array)]),
});
type Item = z.infer<typeof Item>;

/**
 * A log as items of one partition, whose sort key is the number of their first entry. The condition that no item has this key makes one of
 * several writers the next; the others read the end again. No transactions, no counter.
 */
export const appendLog = <Entry>({
  client,
  table,
  name,
  schema,
  keepMs,
  now = Date.now,
}: Options<Entry>): AppendLog<Entry> => {
  const Entries = z.array(schema);
  let known: { readonly tail: Item | undefined; readonly untilMs: number } | undefined;
  /** How many entries the items had that were read last, on average: a query's limit counts items, and an item has up to a hundred entries. */
  let perItem = 1;

  const remember = (tail: Item | undefined): Item | undefined => {
    known = { tail, untilMs: now() + rememberedMs };
    return tail;
  };

  const refuse = (what: string) => (cause: unknown) => {
    throw tableError(cause, `the DynamoDB table ${table} did not ${what} the log ${name}`);
  };

  const query = async (more: Partial<QueryCommandInput>) => {
    const command = new QueryCommand({
      TableName: table,
      ConsistentRead: true,
      KeyConditionExpression: 'pk = :pk',
      ...more,
      ExpressionAttributeValues: { ':pk': name, ...more.ExpressionAttributeValues },
    });
    const { Items = [], LastEvaluatedKey } = await client.send(command).catch(refuse('read'));
    return { items: Items.map(itemOf), isLast: LastEvaluatedKey === undefined };
  };

  const readTail = async () => remember((await query({ ScanIndexForward: false, Limit: 1 })).items[0]);

  /** Puts an item after the tail. @returns whether it is there; not where another writer was first. */
  const put = async (tail: Item | undefined, body: Body): Promise<boolean> => {
    const item = { pk: name, sk: nextNumber(tail), at: now(), ...body };
    const expires = keepMs !== undefined && !neverExpires(item) && { expiresAt: expiry(item.at + keepMs) };
    const command = new PutCommand({
      TableName: table,
      Item: { ...item, ...formatAttribute, ...expires },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    try {
      await client.send(command);
    } catch (error) {
      known = undefined;
      if (!(error instanceof ConditionalCheckFailedException)) return refuse('append to')(error);
      const held = await client
        .send(new GetCommand({ TableName: table, Key: { pk: name, sk: item.sk }, ConsistentRead: true }))
        .catch(refuse('read'));
      return held.Item?.writer === body.writer; // the SDK's first attempt succeeded, and its answer was lost
    }
    remember(item);
    return true;
  };

  const tailNow = () => (known !== undefined && known.untilMs > now() ? known.tail : readTail());

  /** @returns the tail that the item was put after, and whether it was: not where the log is sealed. */
  const putLast = async (
    body: Body,
  ): Promise<{ readonly tail: Item | undefined; readonly isPut: boolean }> => {
    for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
      const tail = await tailNow();
      if (tail?.ends === 'log') return { tail, isPut: false };
      if (isIdle(tail)) await put(tail, { ...nothing, ends: 'block', writer: randomUUID() });
      else if (await put(tail, body)) return { tail, isPut: true };
      else await sleep(Math.random() * 5 * Math.min(attempt, 10)); // so that the other writers are not in step
    }
    throw new UnavailableError(
      `other writers were first at each of ${maximumAttempts} attempts to append to the log ${name}`,
    );
  };

  const isIdle = (tail: Item | undefined) =>
    keepMs !== undefined && tail !== undefined && !tail.ends && now() - tail.at > keepMs + idleMs;

  const entriesOf = (item: Item): LogEntry<Entry>[] => {
    const { sk, count, at } = item;
    const within = { item: nameOf(item) };
    const parsed = Entries.safeParse(JSON.parse(textOf(item.entries)));
    if (!parsed.success)
      throw new UnreadableError(
        `item ${sk} of the log ${name} makes no sense: ${reasonOf(parsed.error)}; no retry helps`,
      );
    return parsed.data.map((entry, index) => {
      const isLast = index === count - 1;
      return { entry, position: { number: sk + index, atMs: at, ...(isLast ? atEndOf(item) : within) } };
    });
  };

  const atEndOf = (item: Item | undefined): Pick<Position, 'item'> =>
    keepMs === undefined || item === undefined ? {} : { item: nameOf(item) };

  /** The items after a place, of which the reader wants so many entries; before them the item that the place names, if it is still there. */
  async function* itemsFrom({ number, item: named }: Position, entries: number): AsyncGenerator<Item> {
    let [from, expected, left] = [named?.first ?? number + 1, number + 1, entries];
    for (let isLast = false; !isLast; ) {
      const page = await query({
        KeyConditionExpression: 'pk = :pk AND sk >= :from',
        ExpressionAttributeValues: { ':from': from },
        Limit: Math.ceil(Math.max(left, 0) / perItem) + 1,
      });
      perItem = entriesPerItem(page.items);
      for (const item of page.items) {
        const isNamed = item.sk === named?.first;
        if (item.sk !== expected && !isNamed && !beginsBlock(item)) throw gone(name, expected);
        expected = nextNumber(item);
        from = expected;
        left -= item.count;
        yield item;
      }
      ({ isLast } = page);
    }
  }

  /** At least `least` entries after a place, or all, and the item that was read last. */
  const entriesFrom = async (after: Position, least: number) => {
    const found: LogEntry<Entry>[] = [];
    let first: Item | undefined;
    let last: Item | undefined;
    for await (const item of itemsFrom(after, least)) {
      first ??= item;
      last = item;
      found.push(...entriesOf(item).filter(({ position }) => position.number > after.number));
      if (found.length >= least) break;
    }
    if (keepMs !== undefined && after.number > 0) await refuseOfOtherLog(after, first, keepMs);
    return { found, last };
  };

  /**
   * Refuses a place of a log that was lost, or that went on otherwise before the table was restored. `first`: the item that was read first.
   * Where the item that the place names has expired, those before it are as old. Those that a new log has instead are younger than the place.
   */
  const refuseOfOtherLog = async (
    { number, item: named }: Position,
    first: Item | undefined,
    entriesKeptMs: number,
  ): Promise<void> => {
    if (named === undefined) throw gone(name, number + 1); // as the version before made them
    if (first?.sk === named.first) {
      if (nameOf(first).writer !== named.writer) throw gone(name, number + 1);
      return;
    }
    const { items } = await query({
      KeyConditionExpression: 'pk = :pk AND sk <= :number',
      ExpressionAttributeValues: { ':number': number },
      ScanIndexForward: false,
      Limit: 1,
    });
    const [before] = items;
    const isExpired = before !== undefined && now() - before.at > entriesKeptMs;
    if (!isExpired) throw gone(name, number + 1);
  };

  return {
    async append(entries) {
      let first: number | undefined;
      for (const portion of [...portionsOf(entries, name)]) {
        const { tail, isPut } = await putLast({ ...portion, writer: randomUUID() });
        if (!isPut) return undefined;
        first ??= nextNumber(tail);
      }
      return first ?? nextNumber(await readTail());
    },

    async read(after, limit) {
      const readAtMs = now();
      const validMs = ({ number }: Position) => (number === 0 ? startKeptMs : (keepMs ?? 0));
      const isOlderThan = (ageMs: number, { atMs }: Position) =>
        keepMs !== undefined && atMs < readAtMs - ageMs;
      if (isOlderThan(validMs(after), after)) throw gone(name, after.number + 1);

      const { found, last } = await entriesFrom(after, limit + 1);
      const entries = found.slice(0, limit);
      const complete = found.length <= limit;
      const reached =
        entries.at(-1)?.position ??
        (complete && last ? { ...after, number: lastNumber(last), ...atEndOf(last) } : after);
      // so that a reader of a quiet log always has a place that is recent enough
      const next =
        complete && isOlderThan(validMs(reached) / 7, reached) ? { ...reached, atMs: readAtMs } : reached;
      return { entries, next, complete, sealed: complete && last?.ends === 'log' };
    },

    async tail({ sinceMs, limit } = { sinceMs: 0, limit: 0 }) {
      const atMs = now();
      const { items } = await query({ ScanIndexForward: false, Limit: Math.max(limit, 1) });
      const tail = remember(items[0]);
      const entries = items
        .filter(({ at }) => at >= sinceMs)
        .reverse()
        .flatMap(entriesOf)
        .slice(-limit || Number.POSITIVE_INFINITY);
      const next = { number: lastNumber(tail), atMs, ...atEndOf(tail) };
      return { entries, next, complete: true, sealed: tail?.ends === 'log' };
    },

    async seal() {
      const atMs = now();
      const { tail } = await putLast({ ...nothing, ends: 'log', writer: randomUUID() });
      return { number: lastNumber(tail), atMs };
    },
  };
};

const entriesPerItem = (items: readonly Item[]): number =>
  Math.max(1, items.reduce((sum, { count }) => sum + count, 0) / Math.max(1, items.length));

const gone = (name: string, number: number) =>
  new GoneError(
    `the log ${name} may lack entries from number ${number}, or is not the one that this place is of; read everything again, and then on from the newest entry`,
  );

type Body = Pick<Item, 'count' | 'entries' | 'writer' | 'ends'>;

const nothing = { count: 0, entries: '[]' };

const itemOf = (raw: Record<string, unknown>): Item => {
  refuseNewerFormat(raw);
  const parsed = Item.safeParse(raw);
  if (parsed.success) return parsed.data;
  throw new UnreadableError(
    `item ${raw.sk} of the log ${raw.pk} makes no sense: ${reasonOf(parsed.error)}; no retry helps`,
  );
};

/** Of a writer's UUID as much as no two items with one number will ever have in common. */
const nameOf = ({ sk, writer }: Item): ItemName => ({ first: sk, writer: writer.slice(0, 8) });

const blockOf = (number: number): number => Math.floor((number - 1) / blockSize);

const nextNumber = (tail: Item | undefined): number => {
  if (tail === undefined) return 1;
  return tail.ends === 'block' ? (blockOf(tail.sk) + 1) * blockSize + 1 : tail.sk + tail.count;
};

/** The number of the last entry at or before the tail; of a block that has ended, the last number of the block. */
const lastNumber = (tail: Item | undefined): number =>
  tail?.ends === 'log' ? tail.sk - 1 : nextNumber(tail) - 1;

/** The numbers before a block may lack: those of the block before it are as many as were appended. */
const beginsBlock = ({ sk }: Item): boolean => (sk - 1) % blockSize === 0;

/** Whether an item has the first number of a block, or ends one. */
const neverExpires = ({ sk, count, ends }: Pick<Item, 'sk' | 'count' | 'ends'>): boolean =>
  ends !== undefined || blockOf(sk - 1) !== blockOf(sk + count - 1);

/** In seconds, as DynamoDB reads it. */
const expiry = (atMs: number): number => Math.ceil((atMs + deletedAfterMs) / 1000);

const textOf = (stored: string | Uint8Array): string =>
  typeof stored === 'string' ? stored : gunzipSync(stored).toString();

/** The entries of each item. */
function* portionsOf(entries: readonly unknown[], name: string): Generator<Pick<Item, 'count' | 'entries'>> {
  let texts: string[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const text = JSON.stringify(entry);
    const size = Buffer.byteLength(text) + 1;
    if (size > maximumBytes)
      throw new InvalidArgumentError(
        `an entry for the log ${name} has ${size} bytes; expected at most ${maximumBytes}`,
      );
    if (texts.length === maximumEntries || bytes + size > maximumBytes) {
      yield stored(texts);
      texts = [];
      bytes = 0;
    }
    texts.push(text);
    bytes += size;
  }
  if (texts.length > 0) yield stored(texts);
}

const stored = (texts: readonly string[]): Pick<Item, 'count' | 'entries'> => {
  const json = `[${texts.join(',')}]`;
  return { count: texts.length, entries: json.length < compressedFromBytes ? json : gzipSync(json) };
};
