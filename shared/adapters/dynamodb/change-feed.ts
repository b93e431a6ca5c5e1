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

const CursorParts = z.tuple([
  z.int().check(z.nonnegative()),
  z.int().check(z.nonnegative()),
  z.int().check(z.nonnegative()),
]);

/** A place in the log as text without meaning to others; equal places have equal texts. */
const cursorOf = ({ number, atMs, item = 0 }: Position): string =>
  Buffer.from(JSON.stringify([number, atMs, item])).toString('base64url');

/** @throws InvalidArgumentError for a text that `cursorOf` did not make. */
const positionOf = (cursor: string): Position => {
  const parts = CursorParts.safeParse(parsed(Buffer.from(cursor, 'base64url').toString()));
  const [number, atMs, item] = parts.data ?? [];
  const position = { number: number ?? 0, atMs: atMs ?? 0, ...(item !== 0 && { item }) };
  if (parts.success && (item ?? 0) <= position.number && cursorOf(position) === cursor) return position;
  throw new InvalidArgumentError('after: expected an unchanged cursor of this feed');
};

const parsed = (json: string): unknown => {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
};
