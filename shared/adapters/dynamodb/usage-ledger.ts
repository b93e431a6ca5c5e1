import { randomInt } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, paginateQuery } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { reasonOf, UnavailableError, UnreadableError } from '../../core/errors.ts';
import { UsageEvent } from '../../core/usage/intervals.ts';
import { beginOf, type Month } from '../../core/usage/month.ts';
import type { Clock } from '../../ports/clock.ts';
import type { LedgerEntry, UsageLedger } from '../../ports/usage-ledger.ts';
import { tableError } from './errors.ts';
import { formatAttribute, refuseNewerFormat } from './format.ts';

const maximumEvents = 100;
/** Smaller items cost one write unit anyway. */
const compressedFromBytes = 900;
/** Sort keys are milliseconds times this, plus a random number: two writers of one millisecond seldom draw the same one. */
const perMs = 1_000;
const maximumAttempts = 10;
const daySeconds = 86_400;

const Item = z.object({
  /** JSON of the events, compressed where it is long. */
  events: z.union([z.string(), z.instanceof(Uint8Array)]),
});

type Options = {
  readonly client: DynamoDBDocumentClient;
  /** A table with the partition key `pk`, a string, the sort key `sk`, a number, and the TTL attribute `expiresAt`. */
  readonly table: string;
  /** How long a month is kept after its end, in days. @default 400 */
  readonly keepDays?: number | undefined;
  readonly now?: Clock;
};

/**
 * The ledger in one table: items of one partition for each month, which are never changed and have no order, so that a batch is one write
 * without a condition on what is there.
 */
export const dynamoDbUsageLedger = ({
  client,
  table,
  keepDays = 400,
  now = Date.now,
}: Options): UsageLedger => {
  const refuse = (what: string) => (cause: unknown) => {
    throw tableError(cause, `the DynamoDB table ${table} did not ${what}`);
  };
  const expiry = (month: Month) => ({ expiresAt: beginOf(month) + (31 + keepDays) * daySeconds });

  /** @returns whether it was put: not where there is an item with its key. */
  const put = async (key: { readonly pk: string; readonly sk: number }, more: object): Promise<boolean> => {
    const command = new PutCommand({
      TableName: table,
      Item: { ...key, ...formatAttribute, ...more },
      ConditionExpression: 'attribute_not_exists(pk)',
    });
    try {
      await client.send(command);
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      return refuse(`write an item of ${key.pk}`)(error);
    }
  };

  const addPortion = async (month: Month, events: readonly UsageEvent[]): Promise<void> => {
    const json = JSON.stringify(events);
    const stored = json.length < compressedFromBytes ? json : gzipSync(json);
    for (let attempt = 0; attempt < maximumAttempts; attempt += 1) {
      const sk = now() * perMs + randomInt(perMs);
      if (await put({ pk: eventsKey(month), sk }, { events: stored, ...expiry(month) })) return;
    }
    throw new UnavailableError(
      `${maximumAttempts} items of the usage of ${month} exist already; try it again`,
    );
  };

  return {
    async add(month, events) {
      for (let index = 0; index < events.length; index += maximumEvents)
        await addPortion(month, events.slice(index, index + maximumEvents));
    },

    async read(month) {
      const entries: LedgerEntry[] = [];
      const pages = paginateQuery(
        { client },
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: 'pk = :pk',
          ExpressionAttributeValues: { ':pk': eventsKey(month) },
        },
      );
      try {
        for await (const { Items = [] } of pages) entries.push(...Items.flatMap(entriesOf));
      } catch (error) {
        if (error instanceof UnreadableError || error instanceof UnavailableError) throw error;
        refuse(`read the usage of ${month}`)(error);
      }
      return entries;
    },

    async carriedAtMs(month) {
      const command = new GetCommand({ TableName: table, Key: carriedKey(month), ConsistentRead: true });
      const { Item: item } = await client.send(command).catch(refuse(`read what was carried into ${month}`));
      refuseNewerFormat(item);
      return typeof item?.at === 'number' ? item.at : undefined;
    },

    async markCarried(month) {
      await put(carriedKey(month), { at: now(), ...expiry(month) });
    },
  };
};

const eventsKey = (month: Month): string => `usage#${month}`;
const carriedKey = (month: Month) => ({ pk: `carried#${month}`, sk: 0 });

const UsageEvents = z.array(UsageEvent);

const entriesOf = (raw: Record<string, unknown>): LedgerEntry[] => {
  refuseNewerFormat(raw);
  try {
    const { events } = Item.parse(raw);
    const json = typeof events === 'string' ? events : gunzipSync(events).toString();
    const keptAtMs = Math.floor(Number(raw.sk) / perMs);
    return UsageEvents.parse(JSON.parse(json)).map((event) => ({ event, keptAtMs }));
  } catch (cause) {
    throw new UnreadableError(
      `item ${raw.sk} of ${raw.pk} makes no sense: ${reasonOf(cause)}; no retry helps`,
      { cause },
    );
  }
};
