import type { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../core/errors.ts';
import { Collection } from '../../core/inventory/entry.ts';
import type { Change, ChangeFeed } from '../../ports/change-feed.ts';
import type { Clock } from '../../ports/clock.ts';
import { appendLog, type Position } from './append-log.ts';

const keepMs = 7 * 86_400_000;

const StoredChange: z.ZodMiniType<Change> = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('status'),
    eventId: z.string(),
    dcmId: z.string(),
    serviceType: z.string(),
    target: z.string(),
    status: z.string(),
    message: z.optional(z.string()),
    time: z.string(),
    requestId: z.optional(z.string()),
  }),
  z.object({
    kind: z.literal('inventory'),
    target: z.string(),
    collection: Collection,
    change: z.enum(['changed', 'ended', 'listed']),
    id: z.optional(z.string()),
  }),
]);

/** The change feed in the inventory's table: one log, whose entries are kept for seven days. */
export const dynamoDbChangeFeed = (
  client: DynamoDBDocumentClient,
  table: string,
  now: Clock = Date.now,
): ChangeFeed => {
  const log = appendLog({ client, table, name: 'changes', schema: StoredChange, keepMs, now });

  return {
    async append(changes) {
      if (changes.length > 0) await log.append(changes);
    },

    async newest(sinceMs, limit) {
      const { entries } = await log.tail({ sinceMs, limit });
      return entries.map(({ entry }) => entry);
    },

    async read(after, limit) {
      const page = after === undefined ? await log.tail() : await log.read(positionOf(after), limit);
      return {
        changes: page.entries.map(({ entry, position }) => ({ cursor: cursorOf(position), change: entry })),
        next: cursorOf(page.next),
        movedAtMs: page.next.atMs,
        complete: page.complete,
      };
    },
  };
};

const whole = z.int().check(z.nonnegative());
const CursorParts = z.union([
  z.tuple([whole, whole, whole, z.string()]),
  /** As the version before made them: they do not say which log they are of, so changes after them are gone. */
  z.tuple([whole, whole, whole]),
]);

/** A place in the log as text without meaning to others; equal places have equal texts. */
const cursorOf = ({ number, atMs, item }: Position): string =>
  textOf([number, atMs, item?.first ?? 0, item?.writer ?? '']);

const textOf = (parts: z.infer<typeof CursorParts>): string =>
  Buffer.from(JSON.stringify(parts)).toString('base64url');

/** @throws InvalidArgumentError for a text that `cursorOf` did not make. */
const positionOf = (cursor: string): Position => {
  const { data } = CursorParts.safeParse(parsed(Buffer.from(cursor, 'base64url').toString()));
  if (data === undefined || textOf(data) !== cursor || data[2] > data[0])
    throw new InvalidArgumentError('after: expected an unchanged cursor of this feed');
  const [number, atMs, first, writer] = data;
  return { number, atMs, ...(writer !== undefined && first > 0 && { item: { first, writer } }) };
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};
