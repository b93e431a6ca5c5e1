import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
  type UpdateCommandInput,
} from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { UnavailableError } from '../../core/errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Listing, ListingStatus, Listings } from '../../ports/listings.ts';
import { noStatusChecks, statusChecks } from '../../service-types/vm/status-checks.ts';
import { batchGet } from './batch-get.ts';

const key = {
  region: (region: string) => ({ pk: `listing#${region}` }),
  page: (region: string, page: number) => ({ pk: `listing#${region}#${page}` }),
  charge: { pk: 'polling' },
};

/** What is remembered of listings, in the fleet's table: one item a region, one a page, one for who is in charge. */
export const dynamoDbListings = (
  client: DynamoDBDocumentClient,
  table: string,
  now: Clock = Date.now,
): Listings => {
  const unavailable = (cause: unknown): never => {
    throw new UnavailableError('the fleet table did not answer about a listing', { cause });
  };

  /** The item after the update, or undefined where its condition refused it. */
  const update = async (Key: { pk: string }, expressions: ListingUpdate) => {
    try {
      const command = new UpdateCommand({ TableName: table, Key, ReturnValues: 'ALL_NEW', ...expressions });
      return (await client.send(command)).Attributes ?? {};
    } catch (error) {
      return error instanceof ConditionalCheckFailedException ? undefined : unavailable(error);
    }
  };

  const put = (Item: Record<string, unknown>) =>
    client.send(new PutCommand({ TableName: table, Item })).then(() => undefined, unavailable);

  const get = async (Key: { pk: string }) =>
    (await client.send(new GetCommand({ TableName: table, Key })).catch(unavailable)).Item;

  const rows = async (regions: readonly string[], projection: string) => {
    const keys = regions.map((region) => key.region(region).pk);
    const found = await batchGet({ client, table, projection, unavailable }, keys);
    return new Map(found.map((row) => [row.pk, row]));
  };

  return {
    async take(region, { floorMs, leaseMs }) {
      const taken =
        (await update(key.region(region), beginUpdate(now(), floorMs, leaseMs))) ??
        (await update(key.region(region), goOnUpdate(now(), leaseMs)));
      return taken && listingOf(region, taken);
    },

    async save(listing, next) {
      const Key = key.region(listing.region);
      const saved = saveUpdate(listing, next, now());
      const isComplete = next.token === undefined;
      if (!isComplete) return void (await update(Key, saved));
      if (await update(Key, { ...saved, ConditionExpression: unlessWoken })) return;
      await update(Key, saveUpdate(listing, { ...next, dueAtMs: now() }, now()));
    },

    async fail(region, dueAtMs) {
      await update(key.region(region), failUpdate(dueAtMs));
    },

    async due(regions) {
      const found = await rows(regions, 'pk, dueAtMs, leasedUntilMs');
      const dueAtMs = (region: string) => {
        const row = found.get(key.region(region).pk);
        return Math.max(Number(row?.dueAtMs ?? 0), Number(row?.leasedUntilMs ?? 0));
      };
      return new Map(regions.map((region) => [region, dueAtMs(region)]));
    },

    async status(regions) {
      const found = await rows(
        regions,
        'pk, listedAtMs, intervalSeconds, instances, breakerSinceMs, republishWantedAt, republishedAt',
      );
      return regions.map((region) => standingOf(region, found.get(key.region(region).pk) ?? {}));
    },

    async requestRepublication(region, at) {
      await update(key.region(region), wantRepublishUpdate(at, now()));
    },

    release: async (region) =>
      (await update(key.region(region), releaseOwnershipUpdate(now()))) !== undefined,

    async members(region, page) {
      const Item = await get(key.page(region, page));
      return Item ? String(Item.members).split(' ').filter(Boolean) : [];
    },

    saveMembers: (region, page, ids) => put({ ...key.page(region, page), members: ids.join(' ') }),

    async leasePolling(execution, leaseMs) {
      const taken = await update(key.charge, {
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
      const inherited = await update(key.charge, {
        UpdateExpression: 'SET execution = :execution, leasedUntilMs = :until, turns = :one',
        ConditionExpression: 'leasedUntilMs <= :now',
        ExpressionAttributeValues: {
          ':execution': execution,
          ':until': now() + leaseMs,
          ':now': now(),
          ':one': 1,
        },
      });
      return inherited && 1;
    },

    async releasePolling(execution) {
      await update(key.charge, {
        UpdateExpression: 'REMOVE execution, leasedUntilMs, turns',
        ConditionExpression: 'execution = :execution',
        ExpressionAttributeValues: { ':execution': execution },
      });
    },
  };
};

const ids = z._default(z.array(z.string()), []);
const count = z._default(z.int(), 0);

const Checks = z.object({
  askedAtMs: z.int(),
  asked: z.enum(statusChecks),
  failing: z.object({ instance: ids, system: ids, 'attached-ebs': ids }),
});

const Digest = z.object({ states: z.string(), members: z.string(), comparedAtMs: count });

const ListingItem = z.object({
  page: z.int(),
  token: z.optional(z.string()),
  startedAtMs: z.int(),
  digests: z._default(z.array(Digest), []),
  seen: count,
  busy: z._default(z.boolean(), false),
  removed: ids,
  added: ids,
  absences: z._default(z.record(z.string(), z.object({ sinceMs: z.int(), listings: z.int() })), {}),
  lastBusyAtMs: count,
  intervalSeconds: count,
  breakerSinceMs: z.optional(z.int()),
  releasedAtMs: z.optional(z.int()),
  republishAt: count,
  republishedAt: count,
  checks: z._default(Checks, {
    ...noStatusChecks,
    failing: { instance: [], system: [], 'attached-ebs': [] },
  }),
});

/** @throws ZodError where the item was not written by dynamodb-listings.ts. */
const listingOf = (region: string, item: Record<string, unknown>): Listing => {
  const { removed, added, token, breakerSinceMs, releasedAtMs, republishAt, republishedAt, ...rest } =
    ListingItem.parse(item);
  return {
    ...{ region, ...rest, token, breakerSinceMs, releasedAtMs, republishedAt },
    republishAt: republishAt > republishedAt ? republishAt : undefined,
    removed: new Set(removed),
    added: new Set(added),
  };
};

/** What a page that is done leaves in the item; `token` where another follows. An attribute that is undefined is not there. */
const listingAttributes = (listing: Listing, token: string | undefined) => {
  const { region: _, releasedAtMs: __, republishAt: ___, removed, added, ...kept } = listing;
  return token === undefined
    ? { ...kept, token, page: 0, removed: undefined, added: undefined }
    : { ...kept, token, page: listing.page + 1, removed: [...removed], added: [...added] };
};

const StandingItem = z.object({
  listedAtMs: z.optional(z.int()),
  intervalSeconds: count,
  instances: count,
  breakerSinceMs: z.optional(z.int()),
  republishWantedAt: count,
  republishedAt: count,
});

/** @throws ZodError as above. */
const standingOf = (region: string, item: Record<string, unknown>): ListingStatus => {
  const { listedAtMs, breakerSinceMs, republishWantedAt, republishedAt, ...rest } = StandingItem.parse(item);
  return {
    ...{ region, ...rest, listedAtMs, breakerSinceMs },
    republishWantedAt: republishWantedAt > republishedAt ? republishWantedAt : undefined,
  };
};

/** What one UpdateItem of a region's listing does, and when it does not. */
export type ListingUpdate = Pick<
  UpdateCommandInput,
  | 'UpdateExpression'
  | 'ConditionExpression'
  | 'ExpressionAttributeNames'
  | 'ExpressionAttributeValues'
  | 'ReturnValues'
>;

/** A listing that stands still for this long is begun anew: its token may have expired. */
const abandonedAfterMs = 10 * 60_000;

const beginUpdate = (nowMs: number, floorMs: number, leaseMs: number): ListingUpdate => ({
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

const goOnUpdate = (nowMs: number, leaseMs: number): ListingUpdate => ({
  UpdateExpression: 'SET leasedUntilMs = :until',
  ConditionExpression: 'attribute_exists(#token) AND leasedUntilMs <= :now AND dueAtMs <= :now',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':now': nowMs, ':until': nowMs + leaseMs },
});

/** Sets what a page that is done leaves, attribute by attribute: what others asked for meanwhile stays. */
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
  const there = attributes.filter(([, value]) => value !== undefined);
  const gone = attributes.filter(([, value]) => value === undefined);
  return {
    UpdateExpression: [
      `SET ${there.map(([name]) => `#${name} = :${name}`).join(', ')}`,
      ...(gone.length > 0 ? [`REMOVE ${gone.map(([name]) => `#${name}`).join(', ')}`] : []),
    ].join(' '),
    ReturnValues: 'NONE', // it can be large
    ExpressionAttributeNames: Object.fromEntries(attributes.map(([name]) => [`#${name}`, name])),
    ExpressionAttributeValues: Object.fromEntries(there.map(([name, value]) => [`:${name}`, value])),
  };
};

/** Nobody has wanted anything of the region since its listing began. */
const unlessWoken = 'attribute_not_exists(wokenAtMs) OR wokenAtMs <= :startedAtMs';

const wantRepublishUpdate = (at: number, nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET republishWantedAt = :at, ${wake}`,
  ConditionExpression: 'attribute_not_exists(republishWantedAt) OR republishWantedAt < :at',
  ExpressionAttributeValues: { ':at': at, ':now': nowMs, ':zero': 0 },
});

const releaseOwnershipUpdate = (nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET releasedAtMs = :now, ${wake}`,
  ConditionExpression: 'attribute_exists(breakerSinceMs)',
  ExpressionAttributeValues: { ':now': nowMs, ':zero': 0 },
});

const wake = 'wokenAtMs = :now, dueAtMs = :zero';

const failUpdate = (dueAtMs: number): ListingUpdate => ({
  UpdateExpression: 'SET dueAtMs = :due, leasedUntilMs = :zero REMOVE #token',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':due': dueAtMs, ':zero': 0 },
});
