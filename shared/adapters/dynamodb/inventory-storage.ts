import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchWriteCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  QueryCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { LRUCache } from 'lru-cache';
import * as z from 'zod/mini';
import { UnavailableError } from '../../core/errors.ts';
import type { BaseMark, Logged } from '../../core/inventory/changes.ts';
import { type Chunk, emptyIndex, type Index } from '../../core/inventory/directory.ts';
import type { Entry, Place, Summary } from '../../core/inventory/entry.ts';
import { placeKey } from '../../core/inventory/entry.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AppendLog, appendLog } from './append-log.ts';
import { tableError } from './errors.ts';
import { formatAttribute, refuseNewerFormat, withFormat } from './format.ts';

/**
 * The items of the inventory. Of each place:
 *
 *     head#<place>            0    which base is read, what of its log is in the feed, and which earlier bases are to be deleted
 *     base#<place>#<n>        0…   directory of base n: its chunks, and what it was as of
 *                             1000…  index of base n: id, digest and time of each entry, for writers
 *     chunk#<place>#<n>-<m>   0…   entries without objects; 1000… their objects. Written with base n, and kept by later bases
 *     log#<place>#<n>         1…   changes since base n (append-log.ts)
 *     listing#<place>         0    digest of the ids on each page of the last listing; 1… those ids
 *
 * Base 0 is empty and stored nowhere. Bases, chunks and index are gzipped JSON, divided into items of at most 350 KB.
 */
const key = {
  head: (place: Place) => `head#${placeKey(place)}`,
  base: (place: Place, base: number) => `base#${placeKey(place)}#${base}`,
  chunk: (place: Place, chunk: string) => `chunk#${placeKey(place)}#${chunk}`,
  log: (place: Place, base: number) => `log#${placeKey(place)}#${base}`,
  listing: (place: Place) => `listing#${placeKey(place)}`,
  places: 'places',
};

const second = 1_000;
const partBytes = 350 * 1024;

const Tags = z.record(z.string(), z.string());
const summaryShape = {
  id: z.string(),
  name: z.optional(z.string()),
  tags: Tags,
  at: z.number(),
  unhealthy: z.optional(z.string()),
  state: z.optional(z.string()),
  volumes: z.optional(z.array(z.string())),
  vpcId: z.optional(z.string()),
  unused: z.optional(z.boolean()),
};
const StoredSummary = z.object(summaryShape);
const StoredObject = z.record(z.string(), z.unknown());
const StoredEntry = z.object({ ...summaryShape, object: StoredObject });

const LoggedEntry = z.union([
  z.object({
    id: z.string(),
    at: z.number(),
    inBase: z.boolean(),
    digest: z.optional(z.string()),
    content: z.optional(StoredEntry),
  }),
  z.object({ listed: z.number(), members: z.string() }),
]);
export type LoggedEntry = Logged<Entry>;

const Base = z.object({
  chunks: z.array(z.object({ key: z.string(), firstId: z.string(), count: z.int() })),
  listedAtMs: z.optional(z.number()),
  members: z.optional(z.string()),
});
export type Base = BaseMark & { readonly chunks: readonly Chunk[] };

const StoredIndex = z.object({
  ids: z.array(z.string()),
  digests: z.array(z.string()),
  ats: z.array(z.number()),
  ended: z.record(z.string(), z.number()),
});

const Head = z.object({
  base: z.int(),
  /** Up to this entry of the base's log, changes are in the feed; absent: the base itself has to be announced. */
  announced: z.optional(z.int()),
  replaced: z._default(z.array(z.object({ base: z.int(), atMs: z.int() })), []),
});
export type Head = z.infer<typeof Head>;

export type InventoryStorage = ReturnType<typeof inventoryStorage>;

type Options = {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  readonly now?: Clock;
  /** Bytes of chunks, after decompression, that stay in memory. @default 32 MiB */
  readonly cacheBytes?: number | undefined;
};

/** Reads and writes the items of the inventory. All rejections are UnavailableErrors, or RefusedRequestErrors where no retry helps. */
export const inventoryStorage = ({ client, table, now = Date.now, cacheBytes = 32 * 2 ** 20 }: Options) => {
  const chunks = new LRUCache<string, readonly string[]>({
    maxSize: cacheBytes,
    sizeCalculation: (lines) => 1 + lines.reduce((sum, line) => sum + line.length, 0),
  });
  const bases = new LRUCache<string, Base>({ max: 100 });
  const indexes = new LRUCache<string, Index>({
    maxSize: 300_000, // entries, of about 100 bytes
    sizeCalculation: ({ ids }) => ids.length + 1,
  });

  const refuse = (what: string) => (cause: unknown) => {
    throw tableError(cause, `the DynamoDB table ${table} did not ${what} the inventory`);
  };

  /** The items of a partition with sort keys from `from` to before `to`. */
  const query = async (pk: string, from: number, to: number, projection?: string) => {
    const items: Record<string, unknown>[] = [];
    let ExclusiveStartKey: Record<string, unknown> | undefined;
    do {
      const command = new QueryCommand({
        TableName: table,
        KeyConditionExpression: 'pk = :pk AND sk BETWEEN :from AND :to',
        ExpressionAttributeValues: { ':pk': pk, ':from': from, ':to': to - 1 },
        ExclusiveStartKey,
        ...(projection !== undefined && { ProjectionExpression: projection }),
      });
      const answer = await client.send(command).catch(refuse('read'));
      for (const item of answer.Items ?? []) {
        refuseNewerFormat(item);
        items.push(item);
      }
      ExclusiveStartKey = answer.LastEvaluatedKey;
    } while (ExclusiveStartKey !== undefined);
    return items;
  };

  /** Undefined where a part is missing. */
  const readBlob = async (pk: string, from: number): Promise<string | undefined> => {
    const parts = (await query(pk, from, from + second)).map((item) => Part.parse(item));
    if (parts.length === 0 || parts.length !== parts[0]?.parts) return undefined;
    return gunzipSync(Buffer.concat(parts.map(({ data }) => data))).toString();
  };

  const writeBlob = async (pk: string, from: number, text: string): Promise<void> => {
    const data = gzipSync(text);
    const parts = Math.ceil(data.length / partBytes);
    for (let part = 0; part < parts; part += 1) {
      const slice = data.subarray(part * partBytes, (part + 1) * partBytes);
      const Item = { ...{ pk, sk: from + part, parts, data: slice }, ...formatAttribute };
      await client.send(new PutCommand({ TableName: table, Item })).catch(refuse('write'));
    }
  };

  const deletePartition = async (pk: string): Promise<void> => {
    const found = await query(pk, 0, Number.MAX_SAFE_INTEGER, 'pk, sk');
    await deleteItems(found.map(({ sk }) => ({ pk, sk: Number(sk) })));
  };

  const deleteItems = async (keys: readonly { readonly pk: string; readonly sk: number }[]) => {
    const left = keys.map((Key) => ({ DeleteRequest: { Key } }));
    while (left.length > 0) {
      const requests = left.splice(0, 25);
      const command = new BatchWriteCommand({ RequestItems: { [table]: requests } });
      const { UnprocessedItems } = await client.send(command).catch(refuse('delete items of'));
      const unprocessed = UnprocessedItems?.[table] ?? [];
      if (unprocessed.length === requests.length)
        throw new UnavailableError(`the DynamoDB table ${table} deleted none of ${requests.length} items`);
      for (const { DeleteRequest } of unprocessed) {
        const { pk, sk } = DeleteRequest?.Key ?? {};
        left.push({ DeleteRequest: { Key: { pk: String(pk), sk: Number(sk) } } });
      }
    }
  };

  /** Lines of a chunk: of summaries at 0, of objects at 1000. Undefined where it was deleted. */
  const chunkLines = async (place: Place, chunk: string, from: number) => {
    const cacheKey = `${key.chunk(place, chunk)} ${from}`;
    const known = chunks.get(cacheKey);
    if (known !== undefined) return known;
    const lines = (await readBlob(key.chunk(place, chunk), from))?.split('\n');
    if (lines !== undefined) chunks.set(cacheKey, lines);
    return lines;
  };

  return {
    now,

    async head(place: Place): Promise<Head | undefined> {
      const command = new GetCommand({
        TableName: table,
        Key: { pk: key.head(place), sk: 0 },
        ConsistentRead: true,
      });
      const { Item } = await client.send(command).catch(refuse('read'));
      refuseNewerFormat(Item);
      return Item && Head.parse(Item);
    },

    /**
     * Makes the next base the one that is read. `isAnnounced`: whether the feed has all that it shows.
     * @returns whether it was not yet the one.
     */
    async replaceBase(
      place: Place,
      base: number,
      { isAnnounced }: { readonly isAnnounced: boolean },
    ): Promise<boolean> {
      const isFirst = base === 0;
      const command = new UpdateCommand({
        TableName: table,
        Key: { pk: key.head(place), sk: 0 },
        ...withFormat({
          UpdateExpression: `SET #base = :next, replaced = list_append(if_not_exists(replaced, :none), :replaced)${isAnnounced ? ', announced = :zero' : ' REMOVE announced'}`,
          ConditionExpression: isFirst ? 'attribute_not_exists(#base)' : '#base = :base',
          ExpressionAttributeNames: { '#base': 'base' },
          ExpressionAttributeValues: {
            ...{ ':next': base + 1, ':none': [], ':replaced': [{ base, atMs: now() }] },
            ...(!isFirst && { ':base': base }),
            ...(isAnnounced && { ':zero': 0 }),
          },
        }),
      });
      return succeeds(command);
    },

    /** Notes that the feed has the changes of a base's log up to this entry. */
    async noteAnnounced(place: Place, base: number, entry: number): Promise<boolean> {
      return succeeds(
        new UpdateCommand({
          TableName: table,
          Key: { pk: key.head(place), sk: 0 },
          ...withFormat({
            UpdateExpression: 'SET announced = :entry',
            ConditionExpression: '#base = :base AND (attribute_not_exists(announced) OR announced < :entry)',
            ExpressionAttributeNames: { '#base': 'base' },
            ExpressionAttributeValues: { ':base': base, ':entry': entry },
          }),
        }),
      );
    },

    /** Takes bases that have been deleted off the head's list. */
    async noteDeleted(place: Place, before: Head, left: Head['replaced']): Promise<boolean> {
      return succeeds(
        new UpdateCommand({
          TableName: table,
          Key: { pk: key.head(place), sk: 0 },
          ...withFormat({
            UpdateExpression: 'SET replaced = :left',
            ConditionExpression: '#base = :base AND replaced = :before',
            ExpressionAttributeNames: { '#base': 'base' },
            ExpressionAttributeValues: {
              ...{ ':left': left, ':base': before.base, ':before': before.replaced },
            },
          }),
        }),
      );
    },

    /** Undefined where it was deleted. */
    async base(place: Place, base: number): Promise<Base | undefined> {
      if (base === 0) return { chunks: [], listedAtMs: undefined, members: undefined };
      const pk = key.base(place, base);
      const known = bases.get(pk);
      if (known !== undefined) return known;
      const text = await readBlob(pk, 0);
      if (text === undefined) return undefined;
      const { chunks: stored, listedAtMs, members } = Base.parse(JSON.parse(text));
      const read = { chunks: stored, listedAtMs, members };
      bases.set(pk, read);
      return read;
    },

    async index(place: Place, base: number): Promise<Index> {
      if (base === 0) return emptyIndex;
      const pk = key.base(place, base);
      const known = indexes.get(pk);
      if (known !== undefined) return known;
      const text = await readBlob(pk, second);
      if (text === undefined)
        throw new UnavailableError(
          `base ${base} of ${placeKey(place)} was replaced meanwhile; a retry helps`,
        );
      const read = StoredIndex.parse(JSON.parse(text));
      indexes.set(pk, read);
      return read;
    },

    async writeBase(place: Place, base: number, directory: Base, index: Index): Promise<void> {
      await writeBlob(key.base(place, base), second, JSON.stringify(index));
      await writeBlob(key.base(place, base), 0, JSON.stringify(directory));
    },

    log: (place: Place, base: number): AppendLog<LoggedEntry> =>
      appendLog({ client, table, name: key.log(place, base), schema: LoggedEntry, now }),

    /** Undefined where the chunk was deleted, as part of a base that is no longer kept. */
    async summaries(
      place: Place,
      { key: chunk }: Pick<Chunk, 'key'>,
    ): Promise<readonly Summary[] | undefined> {
      if (chunk === '') return [];
      const lines = await chunkLines(place, chunk, 0);
      return lines?.map((line) => StoredSummary.parse(JSON.parse(line)));
    },

    /** The objects of a chunk's entries, in the order of its summaries, as JSON. */
    async objects(place: Place, { key: chunk }: Pick<Chunk, 'key'>): Promise<readonly string[] | undefined> {
      return chunk === '' ? [] : chunkLines(place, chunk, second);
    },

    async writeChunk(place: Place, chunk: string, entries: readonly StoredChunkEntry[]): Promise<void> {
      const summaries = entries.map(({ summary }) => JSON.stringify(summary)).join('\n');
      await writeBlob(key.chunk(place, chunk), 0, summaries);
      await writeBlob(key.chunk(place, chunk), second, entries.map(({ object }) => object).join('\n'));
    },

    deleteChunk: (place: Place, chunk: string) => deletePartition(key.chunk(place, chunk)),

    async deleteBase(place: Place, base: number): Promise<void> {
      await deletePartition(key.log(place, base));
      await deletePartition(key.base(place, base));
    },

    async deleteHead(place: Place): Promise<void> {
      await deletePartition(key.listing(place));
      await deletePartition(key.head(place));
    },

    /** The digest of each page's ids in the last listing. */
    async pages(place: Place): Promise<ReadonlyMap<number, string>> {
      const command = new GetCommand({
        TableName: table,
        Key: { pk: key.listing(place), sk: 0 },
        ConsistentRead: true,
      });
      const { Item = {} } = await client.send(command).catch(refuse('read'));
      refuseNewerFormat(Item);
      return new Map(
        Object.entries(Item).flatMap(([name, value]) =>
          /^page\d+$/.test(name) ? [[Number(name.slice(4)), String(value)] as const] : [],
        ),
      );
    },

    async writePage(place: Place, page: number, ids: readonly string[], digest: string): Promise<void> {
      const Item = { pk: key.listing(place), sk: page + 1, digest, data: gzipSync(ids.join('\n')) };
      await client
        .send(new PutCommand({ TableName: table, Item: { ...Item, ...formatAttribute } }))
        .catch(refuse('write'));
      await setPage(place, page, digest);
    },

    /** Has the next listing write the page again. */
    forgetPage: (place: Place, page: number) => setPage(place, page, ''),

    /** The ids on the pages of the last listing, each page with the digest of its ids. */
    async members(place: Place, pages: number) {
      const found = await query(key.listing(place), 1, pages + 1);
      return found.map((item) => {
        const { sk, digest, data } = Members.parse(item);
        const text = gunzipSync(data).toString();
        return { page: sk - 1, digest, ids: text === '' ? [] : text.split('\n') };
      });
    },

    async places(): Promise<readonly string[]> {
      const command = new GetCommand({ TableName: table, Key: { pk: key.places, sk: 0 } });
      const { Item } = await client.send(command).catch(refuse('read'));
      refuseNewerFormat(Item);
      return Object.keys(Item ?? {}).filter((name) => name.includes('/'));
    },

    /** Notes that something is stored of a place, or no longer is. */
    async notePlace(place: Place, isStored: boolean): Promise<void> {
      const names = { '#place': placeKey(place) };
      const command = new UpdateCommand({
        TableName: table,
        Key: { pk: key.places, sk: 0 },
        ...withFormat(
          isStored
            ? {
                UpdateExpression: 'SET #place = :yes',
                ExpressionAttributeNames: names,
                ExpressionAttributeValues: { ':yes': true },
              }
            : { UpdateExpression: 'REMOVE #place', ExpressionAttributeNames: names },
        ),
      });
      await client.send(command).catch(refuse('write'));
    },
  };

  async function setPage(place: Place, page: number, digest: string): Promise<void> {
    const command = new UpdateCommand({
      TableName: table,
      Key: { pk: key.listing(place), sk: 0 },
      ...withFormat({
        UpdateExpression: 'SET #page = :digest',
        ExpressionAttributeNames: { '#page': `page${page}` },
        ExpressionAttributeValues: { ':digest': digest },
      }),
    });
    await client.send(command).catch(refuse('write'));
  }

  async function succeeds(command: UpdateCommand): Promise<boolean> {
    try {
      await client.send(command);
      return true;
    } catch (error) {
      return error instanceof ConditionalCheckFailedException ? false : refuse('write')(error);
    }
  }
};

/** An entry of a chunk; `object` is JSON. */
export type StoredChunkEntry = { readonly summary: Summary; readonly object: string };

const bytes = z.instanceof(Uint8Array);
const Part = z.object({ parts: z.int(), data: bytes });
const Members = z.object({ sk: z.int(), digest: z.string(), data: bytes });

/** 96 bits: no two that a collection ever has are equal. */
export const digestOf = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 16);

/** An entry as a chunk has it. */
export const storedEntry = ({ object, ...summary }: Entry): StoredChunkEntry => ({
  summary,
  object: JSON.stringify(object),
});

/** @throws ZodError where it is not of this adapter. */
export const entryOf = ({ summary, object }: StoredChunkEntry): Entry => ({
  ...summary,
  object: StoredObject.parse(JSON.parse(object)),
});
