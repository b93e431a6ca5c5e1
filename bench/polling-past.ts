import { BatchWriteCommand } from '@aws-sdk/lib-dynamodb';
import { pageDigest } from '../functions/poller/poll-region.ts';
import { dynamoDbListings } from '../shared/adapters/dynamodb/listings.ts';
import { sequenceOf } from '../shared/core/gate.ts';
import type { Instance } from '../shared/ports/instances.ts';
import type { InstanceState } from '../shared/service-types/vm/kind.ts';
import { noStatusChecks } from '../shared/service-types/vm/status-checks.ts';
import { InstanceObservedDetail } from '../shared/wire/own-messages.ts';
import { vmIdOfCrowd } from './polling-crowd.ts';
import type { PolledRegions } from './polling-regions.ts';
import { resourceTable } from './polling-table.ts';

const aDayMs = 86_400_000;
const anHourMs = 3_600_000;

type PastStatus = {
  /** When the regions are to be listed again. @default 0 */
  readonly dueInSeconds?: number;
  /** Whether the fleet held what was listed. @default true */
  readonly wasHeld?: boolean;
};

/** Every region was listed an hour ago, and has been quiet for a day. */
export const rememberListings = async (
  polled: PolledRegions,
  { dueInSeconds = 0, wasHeld = true }: PastStatus = {},
): Promise<void> => {
  const { regions, unmetered, now } = polled;
  const listings = dynamoDbListings(unmetered, resourceTable, now);
  for (const region of regions) {
    const digests = Array.from(pagesOf(polled, region), (page) => ({
      ...pageDigest(page, now()),
      comparedAtMs: now(),
    }));
    const listing = {
      ...{ region, page: 0, token: undefined, seen: 0, busy: false, intervalSeconds: 300 },
      ...{ startedAtMs: now() - anHourMs, lastBusyAtMs: now() - aDayMs, breakerSinceMs: undefined },
      ...{ removed: new Set<string>(), added: new Set<string>(), absences: {}, checks: noStatusChecks },
      ...{ releasedAtMs: undefined, republishAt: undefined, republishedAt: 0 },
      digests: wasHeld ? digests : digests.map((digest) => ({ ...digest, states: '' })),
    };
    await listings.save(listing, { token: undefined, dueAtMs: now() + dueInSeconds * 1000 });
  }
};

/** The fleet holds all that EC2 has. */
export const fillResourceStore = async (polled: PolledRegions): Promise<void> => {
  const at = Math.floor((polled.now() - anHourMs) / 1000);
  for (const region of polled.regions) {
    for (const instances of pagesOf(polled, region))
      await hold(
        polled,
        instances.map((instance) => ({ ...instance, region, at })),
      );
  }
};

function* pagesOf({ ec2 }: PolledRegions, region: string): Generator<readonly Instance[]> {
  for (let number = 0, isLast = false; !isLast; number++) {
    const { instances, nextToken } = ec2.page(region, number);
    isLast = nextToken === undefined;
    yield instances;
  }
}

type Seen = {
  readonly instanceId: string;
  readonly region: string;
  readonly account: string;
  readonly state: InstanceState;
  readonly at: number;
};

const largestBatch = 25;

/** What was queued has come to be held by the fleet, as if the normaliser had recorded it and DCM been told. */
export const holdQueued = (polled: PolledRegions): Promise<void> =>
  hold(
    polled,
    polled.queued.splice(0).map(({ region, account, time, detail }) => {
      const { 'instance-id': instanceId, state } = InstanceObservedDetail.parse(detail);
      return { instanceId, region, account, state, at: Date.parse(time) / 1000 };
    }),
  );

const hold = async ({ unmetered }: PolledRegions, seen: readonly Seen[]): Promise<void> => {
  const puts = seen.map((one) => ({ PutRequest: { Item: itemOf(one) } }));
  for (let start = 0; start < puts.length; start += largestBatch) {
    const RequestItems = { [resourceTable]: puts.slice(start, start + largestBatch) };
    await unmetered.send(new BatchWriteCommand({ RequestItems }));
  }
};

/** As shared/adapters/dynamodb/resource-store.ts reads it. */
const itemOf = ({ instanceId, region, account, state, at }: Seen) => ({
  pk: instanceId,
  vmId: vmIdOfCrowd(instanceId),
  ...{ region, account, state },
  sequence: sequenceOf({ at, state }),
  outbox: {},
  history: {},
});
