import type { UpdateCommandInput } from '@aws-sdk/lib-dynamodb';
import type { Listing } from '../ports/listings.ts';
import { listingAttributes } from './dynamodb-listing-item.ts';

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

export const beginUpdate = (nowMs: number, floorMs: number, leaseMs: number): ListingUpdate => ({
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

export const goOnUpdate = (nowMs: number, leaseMs: number): ListingUpdate => ({
  UpdateExpression: 'SET leasedUntilMs = :until',
  ConditionExpression: 'attribute_exists(#token) AND leasedUntilMs <= :now AND dueAtMs <= :now',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':now': nowMs, ':until': nowMs + leaseMs },
});

/** Sets what a page that is done leaves, attribute by attribute: what others asked for meanwhile stays. */
export const saveUpdate = (
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
export const unlessWoken = 'attribute_not_exists(wokenAtMs) OR wokenAtMs <= :startedAtMs';

export const wantRepublishUpdate = (at: number, nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET republishWantedAt = :at, ${wake}`,
  ConditionExpression: 'attribute_not_exists(republishWantedAt) OR republishWantedAt < :at',
  ExpressionAttributeValues: { ':at': at, ':now': nowMs, ':zero': 0 },
});

export const releaseUpdate = (nowMs: number): ListingUpdate => ({
  UpdateExpression: `SET releasedAtMs = :now, ${wake}`,
  ConditionExpression: 'attribute_exists(breakerSinceMs)',
  ExpressionAttributeValues: { ':now': nowMs, ':zero': 0 },
});

const wake = 'wokenAtMs = :now, dueAtMs = :zero';

export const failUpdate = (dueAtMs: number): ListingUpdate => ({
  UpdateExpression: 'SET dueAtMs = :due, leasedUntilMs = :zero REMOVE #token',
  ExpressionAttributeNames: { '#token': 'token' },
  ExpressionAttributeValues: { ':due': dueAtMs, ':zero': 0 },
});
