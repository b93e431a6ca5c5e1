import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, paginateScan } from '@aws-sdk/lib-dynamodb';
import type { PolledTarget } from '../functions/poller/env.ts';
import { handleRequest, Plan } from '../functions/poller/handle-request.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { createTable, inventoryTable } from '../local/emulators/dynamodb.ts';
import { type Ec2Simulator, startEc2Simulator } from '../local/emulators/ec2/start-ec2-simulator.ts';
import { type ElbEmulator, startElbEmulator } from '../local/emulators/elb/start-elb-emulator.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbChangeFeed } from '../shared/adapters/dynamodb/change-feed.ts';
import { dynamoDbInventoryMaintenance } from '../shared/adapters/dynamodb/inventory-compaction.ts';
import { inventoryStorage } from '../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../shared/adapters/dynamodb/inventory-writer.ts';
import { dynamoDbListings } from '../shared/adapters/dynamodb/listings.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { Collection, furtherCollections } from '../shared/core/inventory/entry.ts';
import { furtherListings } from '../shared/service-types/collections.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { ec2Instances } from '../shared/service-types/vm/ec2/instances.ts';
import { servedVms } from '../shared/service-types/vm/served.ts';
import { countingMeter, memoryLog } from '../test/fakes/silent.ts';
import { countCapacity } from './capacity.ts';
import { startTable, tableName } from './emulators.ts';
import type { Figures } from './figures.ts';
import { hourOf } from './polling-cost.ts';
import { startMs, store } from './polling-regions.ts';
import { environment } from './processes.ts';
import { region, tagKeys } from './workload.ts';

const instances = 10_000;
const inventoryName = 'inventory';
/** As infra deploys it. */
const secondsBetweenListings = 3_600;
/** Longer than any interval of a region that was quiet, and a multiple of the quiet one. */
const restMs = 900_000;
const daysPerMonth = 30;
/** In us-east-1, Standard table class. @see https://aws.amazon.com/dynamodb/pricing/on-demand/ */
const dollarsPerGbMonth = 0.25;

/** What the inventory adds to an hour of polling 10,000 instances at rest, each with a volume, and what its storage costs. */
export const inventoryAtRest = async (): Promise<Figures> => {
  const ours = await addedByInventory((index) => ({
    [tagKeys.managedBy]: 'dcm',
    [tagKeys.instanceId]: `vm-${index}`,
    [tagKeys.provider]: provider,
  }));
  const foreign = await addedByInventory((index) => ({ Name: `web-${index}` }));
  return {
    inventory_calls_per_hour_10k: ours.calls,
    inventory_calls_per_hour_10k_foreign: foreign.calls,
    inventory_dollars_per_month_10k: ours.dollarsPerMonth,
  };
};

/** @param tags of each instance */
const addedByInventory = async (tags: (index: number) => Readonly<Record<string, string>>) => {
  await using ec2 = await startEc2Simulator({ emit: () => undefined, clock: () => startMs - 3_600_000 });
  await using elb = await startElbEmulator();
  using _ = environment({
    AWS_ENDPOINT_URL_EC2: ec2.url,
    AWS_ENDPOINT_URL_ELASTIC_LOAD_BALANCING_V2: elb.url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  ec2.populate({ region, count: instances, tags });
  const without = await hourAtRest([ec2, elb], false);
  const inventoried = await hourAtRest([ec2, elb], true);
  const added = (inventoried.dollarsPerDay - without.dollarsPerDay) * daysPerMonth;
  return {
    calls: inventoried.serviceCalls - without.serviceCalls,
    dollarsPerMonth: added + (inventoried.storedBytes / 1e9) * dollarsPerGbMonth,
  };
};

/** An hour of polling, by a poller with the inventory or without, once all has been listed and nothing has changed since. */
const hourAtRest = async (services: Polling['services'], withInventory: boolean) => {
  await using dynamoDb = await startTable();
  await createTable(dynamoDb.url, inventoryTable(inventoryName));
  const [metered, unmetered] = [clientOf(dynamoDb.url), clientOf(dynamoDb.url)];
  const polled = poller({ services, metered, withInventory });
  await storeAll(DynamoDBDocumentClient.from(unmetered));
  for (let turn = 0; turn < 2; turn++) {
    await listAll(polled);
    polled.skip(restMs);
  }
  const hour = await hourOf(polled);
  if (polled.queued() > 0) throw new Error('The poller found a change where there was none.');
  if (polled.lines.length > 0) throw new Error(`The poller logged: ${polled.lines.join(', ')}`);
  const storedBytes = withInventory ? await bytesOfInventory(unmetered) : 0;
  metered.destroy();
  unmetered.destroy();
  return { ...hour, storedBytes };
};

type Polling = {
  readonly services: readonly [Ec2Simulator, ElbEmulator];
  readonly metered: DynamoDBClient;
  readonly withInventory: boolean;
};

/** The poller as its handler wires it, with a clock that `skip` puts forward, and without queues: compactions are done at once. */
const poller = ({ services, metered, withInventory }: Polling) => {
  const client = DynamoDBDocumentClient.from(metered);
  const [log, vms] = [memoryLog(), ec2Instances()];
  let [nowMs, queued] = [startMs, 0];
  const now = () => nowMs;
  const storage = inventoryStorage({ client, table: inventoryName, now });
  const feed = dynamoDbChangeFeed(client, inventoryName, now);
  const { compact } = dynamoDbInventoryMaintenance(storage, { feed });
  const targets: readonly PolledTarget[] = [undefined, ...(withInventory ? furtherCollections : [])].map(
    (collection) => ({ target: { region, collection }, mode: 'legacy' }),
  );
  return {
    now,
    skip: (ms: number) => {
      nowMs += ms;
    },
    calls: () =>
      services.flatMap((service) => Object.values(service.calls())).reduce((sum, count) => sum + count, 0),
    units: countCapacity(metered),
    queued: () => queued,
    lines: log.lines,
    handle: handleRequest({
      resourceStore: dynamoDbResourceStore(client, tableName, kinds, now),
      listings: dynamoDbListings(client, tableName, now),
      types: [{ ...servedVms(vms), statusChecks: vms }],
      observations: {
        send: async (events) => {
          queued += events.length;
        },
      },
      ...(withInventory && {
        inventory: {
          writer: dynamoDbInventoryWriter({ storage, requestCompaction: compact, feed }),
          collections: new Set(Collection.options),
        },
        collections: { lists: furtherListings(), seconds: secondsBetweenListings },
      }),
      ...{ targets, floorSeconds: 10, provider, tagKeys, now, random: () => 0.5 },
      ...{ meter: countingMeter(), log },
    }),
  };
};

/** Stores all that EC2 has as recorded and published. */
const storeAll = async (unmetered: DynamoDBDocumentClient): Promise<void> => {
  const tag = { key: tagKeys.managedBy, value: 'dcm' };
  const vms = ec2Instances();
  const at = Math.floor(startMs / 1000) - 3_600;
  let token: string | undefined;
  do {
    const page = await vms.list({ target: { region }, tag, token, timeoutMs: 60_000 });
    await store(
      { unmetered },
      page.resources.map(({ resourceId: instanceId, tags, account, state, ...facts }) => ({
        ...{ instanceId, region, account, state, at, dcmId: tags[tagKeys.instanceId] ?? '' },
        ...{ privateAddress: facts.privateAddress, publicAddress: facts.publicAddress },
        billed: facts,
      })),
    );
    token = page.nextToken;
  } while (token !== undefined);
};

/** Lists all that is due, to its end. */
const listAll = async ({ handle }: ReturnType<typeof poller>): Promise<void> => {
  for (;;) {
    const plan = Plan.parse(await handle({ do: 'plan', execution: 'warm-up' }));
    if (plan.next !== 'poll') throw new Error(`The poller planned to ${plan.next}.`);
    if (plan.waitSeconds > 0) break;
    for (const { region: key } of plan.regions) await handle({ do: 'poll', region: key });
  }
};

/** 100 bytes for each item besides its attributes. @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html */
const bytesOfInventory = async (client: DynamoDBClient): Promise<number> => {
  const pages = paginateScan({ client: DynamoDBDocumentClient.from(client) }, { TableName: inventoryName });
  let bytes = 0;
  for await (const { Items = [] } of pages)
    for (const item of Items) bytes += 100 + bytesOf(Object.entries(item));
  if (bytes < instances) throw new Error('The inventory is not stored.');
  return bytes;
};

const bytesOf = (value: unknown): number => {
  if (value instanceof Uint8Array) return value.length;
  if (typeof value === 'string') return Buffer.byteLength(value);
  if (typeof value !== 'object' || value === null) return 8;
  const parts: readonly unknown[] = Array.isArray(value) ? value : Object.entries(value);
  return parts.reduce((sum: number, part) => sum + bytesOf(part), 0);
};

const clientOf = (url: string) => new DynamoDBClient(clientConfig(url));
