import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { type ListedTarget, listingKey } from '../../core/target.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Listing, ListingStatus, Listings } from '../../ports/listings.ts';
import { batchGet } from './batch-get.ts';
import { tableError } from './errors.ts';
import { formatAttribute, refuseNewerFormat, withFormat } from './format.ts';

const key = {
  target: (target: ListedTarget) => ({ pk: `listing#${listingKey(target)}` }),
  page: (target: ListedTarget, page: number) => ({ pk: `listing#${listingKey(target)}#${page}` }),
  polling: { pk: 'polling' },
};

const failure = 'the DynamoDB table did not answer about a listing';

/** Listings in the table of the resource store: one item for each target, one for each page, one for the lease of polling. */
export const dynamoDbListings = (
  client: DynamoDBDocumentClient,
  table: string,
  now: Clock = Date.now,
): Listings => {
  const refuse = (cause: unknown): never => {
    throw tableError(cause, failure);
  };

  /** The item after the update, or undefined where its condition refused it. */
  const update = async (Key: { pk: string }, expressions: ListingUpdate) => {
    try {
      const command = new UpdateCommand({
        TableName: table,
        Key,
        ReturnValues: 'ALL_NEW',
        ...withFormat(expressions),
      });
      return (await client.send(command)).Attributes ?? {};
    } catch (error) {
      return error instanceof ConditionalCheckFailedException ? undefined : refuse(error);
    }
  };

  const put = (Item: Record<string, unknown>) =>
    client
      .send(new PutCommand({ TableName: table, Item: { ...formatAttribute, ...Item } }))
      .then(() => undefined, refuse);

  const get = async (Key: { pk: string }) =>
    (await client.send(new GetCommand({ TableName: table, Key })).catch(refuse)).Item;

  const items = async (targets: readonly ListedTarget[], projection: string) => {
    const keys = targets.map((target) => key.target(target).pk);
    const found = await batchGet({ client, table, projection, failure }, keys);
    return new Map(found.map((item) => [item.pk, item]));
  };

  return {
    async lease(target, { floorMs, leaseMs }) {
      const leased =
        (await update(key.target(target), startUpdate(now(), floorMs, leaseMs))) ??
        (await update(key.target(target), continueUpdate(now(), leaseMs)));
      return leased && listingOf(target, leased);
    },

    async save(listing, next) {
      const Key = key.target(listing.target);
      const saved = saveUpdate(listing, next, now());
      const isComplete = next.token === undefined;
      if (!isComplete) return void (await update(Key, saved));
      if (await update(Key, { ...saved, ConditionExpression: unlessRequested })) return;
      await update(Key, saveUpdate(listing, { ...next, dueAtMs: now() }, now()));
    },

    async fail(target, dueAtMs) {
      await update(key.target(target), failUpdate(dueAtMs));
    },

    async due(targets) {
      const found = await items(targets, 'pk, dueAtMs, leasedUntilMs');
      const dueAtMs = (target: ListedTarget) => {
        const item = found.get(key.target(target).pk);
        return Math.max(Number(item?.dueAtMs ?? 0), Number(item?.leasedUntilMs ?? 0));
      };
      return new Map(targets.map((target) => [listingKey(target), dueAtMs(target)]));
    },

    async status(targets) {
      const found = await items(
        targets,
        'pk, listedAtMs, intervalSeconds, instances, breakerSinceMs, healed, healedAtMs, republishWantedAt, republishedAt',
      );
      return targets.map((target) => statusOf(target, found.get(key.target(target).pk) ?? {}));
    },

    async members(target, page) {
      const Item = await get(key.page(target, page));
      return Item ? String(Item.members).split(' ').filter(Boolean) : [];
    },

    saveMembers: (target, page, ids) => put({ ...key.page(target, page), members: ids.join(' ') }),

    async requestRepublication(target, at) {
      await update(key.target(target), republicationUpdate(at, now()));
    },

    releaseBreaker: async (target) =>
      (await update(key.target(target), releaseBreakerUpdate(now()))) !== undefined,

    async leasePolling(execution, leaseMs) {
      const taken = await update(key.polling, {
        UpdateExpression:
          'SET execution = :execution, leasedUntilMs = :until, turns = if_not_exists(turns, :zero) + :one',
        ConditionExpression: 'attribute_not_exists(execution) OR execution = :execution',
        ExpressionAttributeValues: {
          ':execution': execution,
          ':until': now() + leaseMs,
          ':zero': 0,
          ':one': 1,
        },
      });
      if (taken) return Number(taken.turns);
      const takenOver = await update(key.polling, {
        UpdateExpression: 'SET execution = :execution, leasedUntilMs = :until, turns = :one',
        ConditionExpression: 'leasedUntilMs <= :now',
        ExpressionAttributeValues: {
          ':execution': execution,
          ':until': now() + leaseMs,
          ':now': now(),
          ':one': 1,
        },
      });
      return takenOver && 1;
    },

    async releasePolling(execution) {
      await update(key.polling, {
        UpdateExpression: 'REMOVE execution, leasedUntilMs, turns',
        ConditionExpression: 'execution = :execution',
        ExpressionAttributeValues: { ':execution': execution },
      });
    },
  };
};

const ids = z._default(z.array(z.string()), []);
const count = z._default(z.int(), 0);

const Digest = z.object({ states: z.string(), members: z.string(), comparedAtMs: count });

const ListingItem = z.object({
  page: z.int(),
  token: z.optional(z.string()),
  startedAtMs: z.int(),
  digests: z._default(z.array(Digest), []),
  seen: count,
  busy: z._default(z.boolean(), false),
  healed: count,
  healedAtMs: z.optional(z.int()),
  removed: ids,
  added: ids,
  absences: z._default(z.record(z.string(), z.object({ sinceMs: z.int(), listings: z.int() })), {}),
  lastBusyAtMs: count,
  intervalSeconds: count,
  breakerSinceMs: z.optional(z.int()),
  releasedAtMs: z.optional(z.int()),
  republishAt: count,
  republishedAt: count,
  inventoryFailed: z.optional(z.boolean()),
  checks: z.optional(z.unknown()),
});

/** @throws ZodError for an item that this adapter did not write. */
const listingOf = (target: ListedTarget, item: Record<string, unknown>): Listing => {
  refuseNewerFormat(item);
  const { removed, added, token, checks, breakerSinceMs, releasedAtMs, republishAt, republishedAt, ...rest } =
    ListingItem.parse(item);
  return {
    ...{ target, ...rest, token, checks, breakerSinceMs, releasedAtMs, republishedAt },
    republishAt: republishAt > republishedAt ? republishAt : undefined,
    removed: new Set(removed),
    added: new Set(added),
  };
};

/** The attributes after a completed page; `token` where another page follows. Undefined ones are removed. */
const listingAttributes = (listing: Listing, token: string | undefined) => {
  const { target: _, releasedAtMs: __, republishAt: ___, removed, added, ...kept } = listing;
  return token === undefined
    ? { ...kept, token, page: 0, removed: undefined, added: undefined }
    : { ...kept, token, page: listing.page + 1, removed: [...removed], added: [...added] };
};

const StatusItem = z.object({
  listedAtMs: z.optional(z.int()),
  intervalSeconds: count,
  instances: count,
  breakerSinceMs: z.optional(z.int()),
  healed: count,
  healedAtMs: z.optional(z.int()),
  republishWantedAt: count,
  republishedAt: count,
});

/** @throws ZodError as above. */
const statusOf = (target: ListedTarget, item: Record<string, unknown>): ListingStatus => {
  const { listedAtMs, breakerSinceMs, healedAtMs, republishWantedAt, republishedAt, ...rest } =
    StatusItem.parse(item);
  return {
    ...{ target, ...rest, listedAtMs, breakerSinceMs, healedAtMs },
    republicationRequestedAt: republishWantedAt > republishedAt ? republishWantedAt : undefined,
  };
};

/** One UpdateItem of a target's listing, with its condition. */
type ListingUpdate = Pick<
  UpdateCommandInput,
  | 'UpdateExpression'
  | 'ConditionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
  | 'ReturnValues'
>;

/** A listing that makes no progress for this long starts again: its token may have expired. */
const abandonedAfterMs = 10 * 60_000;

const startUpdate = (nowMs: number, floorMs: number, leaseMs: number): ListingUpdate => ({
  UpdateExpression:
    'SET startedAtMs = :now, leasedUntilMs = :until, page = :zero, seen = :zero, busy = :no, republishAt = if_not_exists(republishWantedAt, :zero) REMOVE #token',
  ConditionExpression:
    '(attribute_not_exists(startedAtMs) OR startedAtMs <= :floor) AND (attribute_not_exists(dueAtMs) OR dueAtMs <= :now) AND (attribute_not_exists(leasedUntilMs) OR leasedUntilMs <= :now) AND (attribute_not_exists(#token) OR startedAtMs <= :abandoned)',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: {
    ':now': nowMs,
    ':until': nowMs + leaseMs,
    ':floor': nowMs - floorMs,
    ':abandoned': nowMs - abandonedAfterMs,
    ':zero': 0,
    ':no': false,
  },
});

const continueUpdate = (nowMs: number, leaseMs: number): ListingUpdate => ({
  UpdateExpression: 'SET leasedUntilMs = :until',
  ConditionExpression: 'attribute_exists(#token) AND leasedUntilMs <= :now AND dueAtMs <= :now',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':now': nowMs, ':until': nowMs + leaseMs },
});

/** Sets attribute by attribute, so that requests which were made during the page stay. */
const saveUpdate = (
  listing: Listing,
  { token, dueAtMs }: { readonly token: string | undefined; readonly dueAtMs: number },
  nowMs: number,
): ListingUpdate => {
  const { republishAt, seen } = listing;
  const completed = {
    listedAtMs: nowMs,
    instances: seen,
    ...(republishAt && { republishedAt: republishAt }),
  };
  const attributes = Object.entries({
    ...listingAttributes(listing, token),
    ...(token === undefined && completed),
    ...{ dueAtMs, leasedUntilMs: 0 },
  });
  const set = attributes.filter(([, value]) => value !== undefined);
  const removed = attributes.filter(([, value]) => value === undefined);
  return {
    UpdateExpression: [
      `SET ${set.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ...(removed.length > 0 ? [`REMOVE ${removed.map(([name]) => `#${name}`).join(', ')}`] : []),
    ].join(' '),
    ReturnValues: 'NONE', // it can be large
    ExpressionAttributeNames: Object.fromEntries(attributes.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(set.map(([name, value]) => [`:${name}`, value])),
  };
};

/** No republication or release was requested since the listing started. */
const unlessRequested = 'attribute_not_exists(wokenAtMs) OR wokenAtMs <= :startedAtMs';

const republicationUpdate = (at: number, nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET republishWantedAt = :at, ${wake}`,
  ConditionExpression: 'attribute_not_exists(republishWantedAt) OR republishWantedAt < :at',
  ExpressionAttributeValues: { ':at': at, ':now': nowMs, ':zero': 0 },
});

const releaseBreakerUpdate = (nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET releasedAtMs = :now, ${wake}`,
  ConditionExpression: 'attribute_exists(breakerSinceMs)',
  ExpressionAttributeValues: { ':now': nowMs, ':zero': 0 },
});

/** Makes the next listing due at once, and notes the time of the request. */
const wake = 'wokenAtMs = :now, dueAtMs = :zero';

const failUpdate = (dueAtMs: number): ListingUpdate => ({
  UpdateExpression: 'SET dueAtMs = :due, leasedUntilMs = :zero REMOVE #token',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':due': dueAtMs, ':zero': 0 },
});
