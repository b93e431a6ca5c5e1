import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import {
  BatchGetCommand,
  type DynamoDBDocumentClient,
  GetCommand,
  PutCommand,
  UpdateCommand,
} from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../domain/errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { Listings } from '../ports/listings.ts';
import { listingItem, listingOf } from './dynamodb-listing-item.ts';

const key = {
  region: (region: string) => ({ pk: `listing#${region}` }),
  page: (region: string, page: number) => ({ pk: `listing#${region}#${page}` }),
  charge: { pk: 'polling' },
};

/** A listing that stands still for this long is begun anew: its token may have expired. */
const abandonedAfterMs = 10 * 60_000;

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
  const update = async (Key: { pk: string }, expressions: Expressions) => {
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

  const begin = (region: string, floorMs: number, leaseMs: number) =>
    update(key.region(region), {
      UpdateExpression:
        'SET startedAtMs = :now, leasedUntilMs = :until, page = :zero, seen = :zero, busy = :no REMOVE #token',
      ConditionExpression:
        '(attribute_not_exists(startedAtMs) OR startedAtMs <= :floor) AND (attribute_not_exists(dueAtMs) OR dueAtMs <= :now) AND (attribute_not_exists(leasedUntilMs) OR leasedUntilMs <= :now) AND (attribute_not_exists(#token) OR startedAtMs <= :abandoned)',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: {
        ':now': now(),
        ':until': now() + leaseMs,
        ':floor': now() - floorMs,
        ':abandoned': now() - abandonedAfterMs,
        ':zero': 0,
        ':no': false,
      },
    });

  const goOn = (region: string, leaseMs: number) =>
    update(key.region(region), {
      UpdateExpression: 'SET leasedUntilMs = :until',
      ConditionExpression: 'attribute_exists(#token) AND leasedUntilMs <= :now AND dueAtMs <= :now',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':now': now(), ':until': now() + leaseMs },
    });

  return {
    async take(region, { floorMs, leaseMs }) {
      const taken = (await begin(region, floorMs, leaseMs)) ?? (await goOn(region, leaseMs));
      return taken && listingOf(region, taken);
    },

    save: (listing, { token, dueAtMs }) =>
      put({ ...key.region(listing.region), ...listingItem(listing, token), dueAtMs }),

    async fail(region, dueAtMs) {
      await update(key.region(region), {
        UpdateExpression: 'SET dueAtMs = :due, leasedUntilMs = :zero REMOVE #token',
        ExpressionAttributeNames: { '#token': 'token' },
        ExpressionAttributeValues: { ':due': dueAtMs, ':zero': 0 },
      });
    },

    async due(regions) {
      const Keys = regions.map(key.region);
      const command = new BatchGetCommand({
        RequestItems: { [table]: { Keys, ProjectionExpression: 'pk, dueAtMs, leasedUntilMs' } },
      });
      const { Responses } = regions.length > 0 ? await client.send(command).catch(unavailable) : {};
      const found = new Map(
        (Responses?.[table] ?? []).map(({ pk, dueAtMs, leasedUntilMs }) => [
          pk,
          Math.max(Number(dueAtMs ?? 0), Number(leasedUntilMs ?? 0)),
        ]),
      );
      return new Map(regions.map((region) => [region, found.get(key.region(region).pk) ?? 0]));
    },

    async pages(region) {
      const Item = await get(key.region(region));
      return Item ? listingOf(region, Item).digests.length : 0;
    },

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

type Expressions = {
  readonly UpdateExpression: string;
  readonly ConditionExpression?: string;
  readonly ExpressionAttributeNames?: Record<string, string>;
  readonly ExpressionAttributeValues?: Record<string, unknown>;
};
