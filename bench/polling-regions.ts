import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { PolledTarget } from '../functions/poller/env.ts';
import { handleRequest } from '../functions/poller/handle-request.ts';
import { type PolledType, pageDigest } from '../functions/poller/poll-target.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbListings } from '../shared/adapters/dynamodb/listings.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { sequenceOf } from '../shared/core/gate.ts';
import type { BilledFacts } from '../shared/core/outputs.ts';
import { targetKey, targetOfKey } from '../shared/core/target.ts';
import type { Page } from '../shared/ports/described-resources.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { vmKind } from '../shared/service-types/vm/kind.ts';
import type { Instance, Instances } from '../shared/service-types/vm/ports.ts';
import { servedVms } from '../shared/service-types/vm/served.ts';
import type { ImpairedInstances } from '../shared/service-types/vm/status-checks.ts';
import type { EventBridgeEvent } from '../shared/wire/eventbridge.ts';
import { InstanceObservedDetail } from '../shared/wire/own-messages.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { countCapacity } from './capacity.ts';
import { tableName } from './emulators.ts';
import { account, tagKeys } from './workload.ts';

type Options = {
  readonly dynamoDbUrl: string;
  /** Keys of targets: in the home account, the region alone. */
  readonly regions: readonly string[];
  /** In each region. */
  readonly vms: number;
  /** Service types besides VMs. @default none */
  readonly others?: OtherTypes;
  /** Called when differences of a page were queued, while the page is being compared. */
  readonly onQueued?: () => void;
};

type OtherTypes = {
  readonly types: readonly PolledType[];
  readonly targets: readonly PolledTarget[];
  /** Calls of their services so far. */
  readonly calls: () => number;
};

export type PolledRegions = ReturnType<typeof polledRegions>;

const floorSeconds = 10;
const noOthers: OtherTypes = { types: [], targets: [], calls: () => 0 };
/** The clock's first time: 2026-01-01T00:00:00Z, a multiple of all intervals. */
export const startMs = 1_767_225_600_000;

/**
 * The poller without Lambda's runtime, for legacy regions: its listings and its resources in DynamoDB, an EC2 that answers at once, and a
 * clock that stands still until `skip` puts it forward, so that what is counted does not depend on how fast the machine is.
 */
export const polledRegions = ({
  dynamoDbUrl,
  regions,
  vms,
  others = noOthers,
  onQueued = () => {},
}: Options) => {
  const [metered, unmetered] = [clientOf(dynamoDbUrl), clientOf(dynamoDbUrl)];
  const documents = DynamoDBDocumentClient.from(metered);
  const ec2 = simulatedEc2({ regions, vms });
  const queued: EventBridgeEvent[] = [];
  let nowMs = startMs;
  const now = () => nowMs;
  return {
    regions,
    ec2,
    /** Calls of all services so far. */
    calls: () => ec2.calls() + others.calls(),
    now,
    /** What the poller has queued for the normaliser, which does not run here. */
    queued,
    /** Answers as the function does. */
    handle: handleRequest({
      resourceStore: dynamoDbResourceStore(documents, tableName, kinds, now),
      listings: dynamoDbListings(documents, tableName, now),
      types: [{ ...servedVms(ec2), statusChecks: ec2 }, ...others.types],
      observations: {
        send: async (events) => {
          queued.push(...events);
          onQueued();
        },
      },
      targets: [
        ...regions.map((key) => ({ target: targetOfKey(key), mode: 'legacy' as const })),
        ...others.targets,
      ],
      ...{ floorSeconds, provider, tagKeys, now, random: () => 0.5 },
      ...{ meter: countingMeter(), log: memoryLog() },
    }),
    /** What the poller has made DynamoDB do so far. */
    units: countCapacity(metered),
    /** A client whose requests are not counted. */
    unmetered: DynamoDBDocumentClient.from(unmetered),
    skip: (ms: number) => {
      nowMs += ms;
    },
    [Symbol.dispose]: () => {
      metered.destroy();
      unmetered.destroy();
    },
  };
};

const clientOf = (url: string) => new DynamoDBClient(clientConfig(url));

const largestPage = 1000;

export type SimulatedEc2 = Instances &
  ImpairedInstances & {
    /** Calls of any kind so far. */
    calls(): number;
    /** Whether the page that was listed last was the last one of a listing. */
    isAtEnd(): boolean;
    /** A page as EC2 would list it, without a call; counted from 0. */
    page(region: string, page: number): Page<Instance>;
    /** Stops every `step`th instance of a region from `first` on, or starts those that are stopped. */
    toggle(region: string, first: number, step: number): void;
  };

/**
 * EC2 with so many VMs of ours in each region, all launched long ago. A page is made when it is listed and kept nowhere, so that the memory
 * that a listing needs can be told from that of what it lists.
 */
const simulatedEc2 = ({ regions, vms }: Pick<Options, 'regions' | 'vms'>): SimulatedEc2 => {
  const stopped = new Set<string>();
  let calls = 0;
  let atEnd = true;

  const instance = (region: string, index: number): Instance => {
    const instanceId = instanceIdOf(regions.indexOf(region), index);
    return {
      resourceId: instanceId,
      account: accountOf(region),
      state: stopped.has(instanceId) ? 'stopped' : 'running',
      tags: {
        [tagKeys.managedBy]: 'dcm',
        [tagKeys.instanceId]: vmIdOf(instanceId),
        [tagKeys.provider]: provider,
      },
      reason: undefined,
      publicAddress: '',
      launchedAtMs: 0,
    };
  };

  const page = (region: string, number: number): Page<Instance> => {
    const start = number * largestPage;
    const length = Math.min(largestPage, vms - start);
    return {
      resources: Array.from({ length }, (_, index) => instance(region, start + index)),
      nextToken: start + length < vms ? String(number + 1) : undefined,
    };
  };

  return {
    calls: () => calls,
    isAtEnd: () => atEnd,
    page,
    toggle(region, first, step) {
      for (let index = first; index < vms; index += step) {
        const id = instanceIdOf(regions.indexOf(region), index);
        if (!stopped.delete(id)) stopped.add(id);
      }
    },
    async describe() {
      calls += 1;
      return new Map();
    },
    async impaired() {
      calls += 1;
      return new Map();
    },
    async list({ target, token = '0' }) {
      calls += 1;
      const listed = page(targetKey(target), Number(token));
      atEnd = listed.nextToken === undefined;
      return listed;
    },
  };
};

const instanceIdOf = (region: number, index: number) =>
  `i-${region.toString(16)}${index.toString(16).padStart(16, '0')}`;
const accountOf = (region: string) => targetOfKey(region).account ?? account;
const vmIdOf = (instanceId: string) => `00000000-0000-4000-8000-${instanceId.slice(-12)}`;

const aDayMs = 86_400_000;
const anHourMs = 3_600_000;

type Past = {
  /** When the regions are to be listed again. @default 0 */
  readonly dueInSeconds?: number;
  /** Whether the instances that were listed were in the table. @default true */
  readonly wereStored?: boolean;
};

/** Stores listings of an hour ago, by which every region has been without a change for a day. */
export const storeListings = async (
  polled: PolledRegions,
  { dueInSeconds = 0, wereStored = true }: Past = {},
): Promise<void> => {
  const { regions, unmetered, now } = polled;
  const listings = dynamoDbListings(unmetered, tableName, now);
  for (const region of regions) {
    const digests = Array.from(pagesOf(polled, region), (page) => ({
      ...pageDigest(vmKind, page, now()),
      comparedAtMs: now(),
    }));
    const listing = {
      ...{
        target: targetOfKey(region),
        page: 0,
        token: undefined,
        seen: 0,
        busy: false,
        intervalSeconds: 300,
      },
      ...{ startedAtMs: now() - anHourMs, lastBusyAtMs: now() - aDayMs, breakerSinceMs: undefined },
      ...{ removed: new Set<string>(), added: new Set<string>(), absences: {}, checks: undefined },
      ...{ releasedAtMs: undefined, republishAt: undefined, republishedAt: 0 },
      digests: wereStored ? digests : digests.map((digest) => ({ ...digest, states: '' })),
    };
    await listings.save(listing, { token: undefined, dueAtMs: now() + dueInSeconds * 1000 });
  }
};

/** Stores all that EC2 has. */
export const storeInstances = async (polled: PolledRegions): Promise<void> => {
  const at = Math.floor((polled.now() - anHourMs) / 1000);
  for (const key of polled.regions) {
    const { region } = targetOfKey(key);
    for (const instances of pagesOf(polled, key))
      await store(
        polled,
        instances.map(({ resourceId: instanceId, account, state }) => ({
          ...{ instanceId, region, account, state, at },
        })),
      );
  }
};

function* pagesOf({ ec2 }: PolledRegions, region: string): Generator<readonly Instance[]> {
  for (let number = 0, isLast = false; !isLast; number++) {
    const { resources: instances, nextToken } = ec2.page(region, number);
    isLast = nextToken === undefined;
    yield instances;
  }
}

/** One VM in so many changes from one listing to the next: 1 %, on every page. */
const oneIn = 100;

/**
 * A function that stores the changes queued last and then changes the next VMs of the region, no VM twice within a hundred calls. It rejects
 * where the poller has not queued each change once.
 */
export const changes = (polled: PolledRegions, region: string, vms: number) => {
  let round = 0;
  return async (): Promise<void> => {
    const ids = new Set(polled.queued.map(({ detail }) => detail['instance-id']));
    const expected = round === 0 ? 0 : vms / oneIn;
    if (ids.size !== expected || polled.queued.length !== expected)
      throw new Error(`The poller queued ${polled.queued.length} changes of ${expected}.`);
    await storeQueued(polled);
    polled.ec2.toggle(region, round % oneIn, oneIn);
    round += 1;
  };
};

/** As if the normaliser had recorded and published what is queued. */
const storeQueued = (polled: PolledRegions): Promise<void> =>
  store(
    polled,
    polled.queued.splice(0).map(({ region, account, time, detail }) => {
      const { 'instance-id': instanceId, state } = InstanceObservedDetail.parse(detail);
      return { instanceId, region, account, state, at: Date.parse(time) / 1000 };
    }),
  );

/** A resource of ours as the normaliser has recorded it. */
type Stored = {
  readonly instanceId: string;
  /** @default what `simulatedEc2` calls it */
  readonly dcmId?: string;
  readonly region: string;
  readonly account: string;
  readonly state: string;
  readonly at: number;
  readonly privateAddress?: string | undefined;
  readonly publicAddress?: string | undefined;
  readonly billed?: BilledFacts;
};

const largestBatch = 25;

/** Stores VMs that DCM has been told of. */
export const store = async (
  { unmetered }: Pick<PolledRegions, 'unmetered'>,
  instances: readonly Stored[],
): Promise<void> => {
  const puts = instances.map((one) => ({ PutRequest: { Item: itemOf(one) } }));
  for (let start = 0; start < puts.length; start += largestBatch) {
    const RequestItems = { [tableName]: puts.slice(start, start + largestBatch) };
    await unmetered.send(new BatchWriteCommand({ RequestItems }));
  }
};

/** As shared/adapters/dynamodb/resource-store.ts reads it. */
const itemOf = ({ instanceId, dcmId = vmIdOf(instanceId), at, billed = {}, ...known }: Stored) => ({
  pk: instanceId,
  vmId: dcmId,
  ...known,
  ...(billed.size !== undefined && { billedSize: billed.size }),
  ...(billed.platform !== undefined && { billedPlatform: billed.platform }),
  ...(billed.zone !== undefined && { billedZone: billed.zone }),
  ...(billed.market !== undefined && { billedMarket: billed.market }),
  sequence: sequenceOf(vmKind, { at, state: known.state }),
  outbox: {},
  history: {},
});
