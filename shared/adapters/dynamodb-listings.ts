import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, PutCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Listings } from '../ports/listings.ts';
import { batchGet } from './dynamodb/batch-get.ts';
import { listingOf, standingOf } from './dynamodb-listing-item.ts';
import {
  beginUpdate,
  failUpdate,
  goOnUpdate,
  type ListingUpdate,
  releaseUpdate,
  saveUpdate,
  unlessWoken,
  wantRepublishUpdate,
} from './dynamodb-listings-updates.ts';

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

    async standing(regions) {
      const found = await rows(
        regions,
        'pk, listedAtMs, intervalSeconds, instances, breakerSinceMs, republishWantedAt, republishedAt',
      );
      return regions.map((region) => standingOf(region, found.get(key.region(region).pk) ?? {}));
    },

    async wantRepublish(region, at) {
      await update(key.region(region), wantRepublishUpdate(at, now()));
    },

    release: async (region) => (await update(key.region(region), releaseUpdate(now()))) !== undefined,

    async members(region, page) {
      const Item = await get(key.page(region, page));
      return Item ? String(Item.members).split(' ').filter(Boolean) : [];
    },

    keepMembers: (region, page, ids) => put({ ...key.page(region, page), members: ids.join(' ') }),

    async takeCharge(execution, leaseMs) {
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

    async resign(execution) {
      await update(key.charge, {
        UpdateExpression: 'REMOVE execution, leasedUntilMs, turns',
        ConditionExpression: 'execution = :execution',
        ExpressionAttributeValues: { ':execution': execution },
      });
    },
  };
};
