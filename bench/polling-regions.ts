import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { poller } from '../functions/poller/poller.ts';
import { clientConfig } from '../local/client-config.ts';
import { provider } from '../local/options.ts';
import { dynamoDbListings } from '../shared/adapters/dynamodb/listings.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import type { EventBridgeEvent } from '../shared/wire/eventbridge.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { countCapacity } from './capacity.ts';
import { crowd } from './polling-crowd.ts';
import { resourceTable } from './polling-table.ts';
import { tagKeys } from './workload.ts';

type Options = {
  readonly dynamoDbUrl: string;
  readonly regions: readonly string[];
  /** In each region. */
  readonly vms: number;
  /** Called when something of a page was queued, while the page is being compared. */
  readonly onQueued?: () => void;
};

export type PolledRegions = ReturnType<typeof polledRegions>;

const floorSeconds = 10;

/**
 * The poller but Lambda's runtime, for legacy regions: its listings and its fleet in DynamoDB, an EC2 that answers at once, and a clock
 * that can be put forward.
 */
export const polledRegions = ({ dynamoDbUrl, regions, vms, onQueued = () => {} }: Options) => {
  const [metered, unmetered] = [clientOf(dynamoDbUrl), clientOf(dynamoDbUrl)];
  const documents = DynamoDBDocumentClient.from(metered);
  const ec2 = crowd({ regions, vms, provider });
  const queued: EventBridgeEvent[] = [];
  let skippedMs = 0;
  const now = () => Date.now() + skippedMs;
  return {
    regions,
    ec2,
    now,
    /** What waits for the normaliser, which is not there. */
    queued,
    /** Answers as the function does. */
    handle: poller({
      resourceStore: dynamoDbResourceStore(documents, resourceTable, now),
      listings: dynamoDbListings(documents, resourceTable, now),
      instances: ec2,
      observations: {
        send: async (events) => {
          queued.push(...events);
          onQueued();
        },
      },
      regions: regions.map((region) => ({ region, kind: 'legacy' as const })),
      ...{ floorSeconds, provider, tagKeys, now, random: Math.random },
      ...{ meter: countingMeter(), log: memoryLog() },
    }),
    /** What the poller made DynamoDB do so far. */
    units: countCapacity(metered),
    /** To set the scene with. */
    unmetered: DynamoDBDocumentClient.from(unmetered),
    skip: (ms: number) => {
      skippedMs += ms;
    },
    [Symbol.dispose]: () => {
      metered.destroy();
      unmetered.destroy();
    },
  };
};

const clientOf = (url: string) => new DynamoDBClient(clientConfig(url));
