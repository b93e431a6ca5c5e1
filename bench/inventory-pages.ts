import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod';
import { operations } from '../functions/inventory-api/operations.ts';
import { inventoryReports } from '../functions/inventory-api/reports.ts';
import { permits } from '../functions/inventory-api/scopes.ts';
import { servedTargets } from '../functions/inventory-api/targets.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { createTable, inventoryTable } from '../local/emulators/dynamodb.ts';
import { startEc2Simulator } from '../local/emulators/ec2/start-ec2-simulator.ts';
import { httpApiEvent } from '../local/emulators/http-api.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbChangeFeed } from '../shared/adapters/dynamodb/change-feed.ts';
import { dynamoDbInventoryMaintenance } from '../shared/adapters/dynamodb/inventory-compaction.ts';
import { dynamoDbInventoryReader } from '../shared/adapters/dynamodb/inventory-reader.ts';
import { inventoryStorage } from '../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbInventoryWriter } from '../shared/adapters/dynamodb/inventory-writer.ts';
import type { ListedEntry, Place } from '../shared/core/inventory/entry.ts';
import { authentication } from '../shared/http/authentication.ts';
import { readChanges } from '../shared/http/changes.ts';
import { router } from '../shared/http/router.ts';
import { httpApi } from '../shared/runtime/http-api.ts';
import { ec2ConsoleOutput } from '../shared/service-types/vm/ec2/console-output.ts';
import { ec2Instances } from '../shared/service-types/vm/ec2/instances.ts';
import { memoryLog } from '../test/fakes/silent.ts';
import { startTable } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median, percentile } from './measure.ts';
import { environment } from './processes.ts';
import { region, tagKeys } from './workload.ts';

const place: Place = { target: { region }, collection: 'instances' };
/** The target of one instance, whose log can be read. */
const small: Place = { target: { region: 'us-east-2' }, collection: 'instances' };
const instances = 100_000;
const perListing = 1_000;
const perPage = 100;
const table = 'inventory';
const offsets = { first: 0, last: instances - perPage };
/** Changes of a busy minute, not in the base yet. */
const changes = 200;
const countedRounds = 5;
const pairsPerRound = 200;

/** How long a page takes at the beginning and at the end of a large collection, of which nothing but its directory is in memory; and calls to AWS. */
export const inventoryPages = async (): Promise<Figures> => {
  await using ec2 = await startEc2Simulator({ emit: () => undefined });
  using _ = environment({
    AWS_ENDPOINT_URL_EC2: ec2.url,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
  });
  const tags = { [tagKeys.managedBy]: 'dcm', Name: 'web', team: 'payments', environment: 'production' };
  ec2.populate({ region: small.target.region, count: 1, tags: () => tags });
  const entry = await described();
  await using dynamoDb = await startTable();
  await createTable(dynamoDb.url, inventoryTable(table));
  const client = new DynamoDBClient(clientConfig(dynamoDb.url));
  await fill(DynamoDBDocumentClient.from(client), entry);

  const get = functionGetter(DynamoDBDocumentClient.from(client));
  const waited = timeCalls(client);
  const read = async (offset: number): Promise<Timed> => {
    const waitedBefore = waited();
    const startedAt = performance.now();
    const body = await get(`/targets/${region}/instances?limit=${perPage}&offset=${offset}`);
    const ms = performance.now() - startedAt;
    const { count, resources } = Page.parse(JSON.parse(body));
    if (count !== instances || resources.length !== perPage || resources[0]?.name !== idOf(offset))
      throw new Error(`The page at ${offset} is not as it was written.`);
    return { ms, ownMs: ms - (waited() - waitedBefore) };
  };
  const calls = () => Object.values(ec2.calls()).reduce((sum, count) => sum + count, 0);
  const callsBefore = calls();
  const rounds: { first: number; last: number; own: number }[] = [];
  for (let round = 0; round <= countedRounds; round++) {
    const pages: Record<'first' | 'last', Timed[]> = { first: [], last: [] };
    for (let turn = 0; turn < pairsPerRound; turn++) {
      const order = turn % 2 === 0 ? (['first', 'last'] as const) : (['last', 'first'] as const);
      for (const which of order) pages[which].push(await read(offsets[which]));
    }
    const slowest = (times: readonly number[]) => percentile(times, 0.99);
    const msOf = (times: readonly Timed[]) => slowest(times.map(({ ms }) => ms));
    const own = slowest([...pages.first, ...pages.last].map(({ ownMs }) => ownMs));
    rounds.push({ first: msOf(pages.first), last: msOf(pages.last), own });
  }
  const counted = rounds.slice(1); // the first round warms up
  await get(`/targets/${region}`);
  await get(`/targets/${region}/instances/${idOf(instances / 2)}`);
  await get(`/targets/${small.target.region}/instances?label.team=payments`);
  const callsOfGets = calls() - callsBefore;
  await get(`/targets/${small.target.region}/instances/${entry.id}/log`);
  client.destroy();
  return {
    inventory_page_ratio: median(counted.map(({ first, last }) => last / first)),
    inventory_page_ms: median(counted.map(({ own }) => own)),
    inventory_get_aws_calls: callsOfGets,
    inventory_log_aws_calls: calls() - callsBefore - callsOfGets,
  };
};

type Timed = { readonly ms: number; readonly ownMs: number };

/** Lists all instances for the first time, and changes some of them since. */
const fill = async (client: DynamoDBDocumentClient, entry: ListedEntry): Promise<void> => {
  const storage = inventoryStorage({ client, table });
  const feed = dynamoDbChangeFeed(client, table);
  const writer = dynamoDbInventoryWriter({ storage, requestCompaction: async () => undefined, feed });
  const { compact } = dynamoDbInventoryMaintenance(storage, { feed });
  const copy = copiesOf(entry);
  const startedAtMs = Date.now();
  const pages = instances / perListing;
  for (let page = 0; page < pages; page++) {
    const copies = Array.from({ length: perListing }, (_, n) => copy(page * perListing + n));
    await writer.observePage(place, { startedAtMs, page }, copies);
  }
  await writer.complete(place, { startedAtMs, pages });
  await compact(place);
  const changed = Array.from({ length: changes }, (_, n) => copy(n * (instances / changes)));
  const stopped = changed.map((one) => ({ entry: { ...one, state: 'stopped', at: startedAtMs } }));
  await writer.change(place, stopped);
  // another target with the instance that the emulator has
  await writer.observePage(small, { startedAtMs, page: 0 }, [entry]);
  await writer.complete(small, { startedAtMs, pages: 1 });
  await compact(small);
};

/** An instance of the emulator as EC2's client returns it. */
const described = async (): Promise<ListedEntry> => {
  const tag = { key: tagKeys.managedBy, value: 'dcm' };
  const asked = { target: small.target, tag, token: undefined, timeoutMs: 10_000, withEntries: true };
  const [entry] = (await ec2Instances().list(asked)).entries ?? [];
  if (entry === undefined) throw new Error('EC2 described no instance.');
  return entry;
};

/** Many such instances, which differ in their ids. */
const copiesOf = (entry: ListedEntry) => {
  const object = JSON.stringify(entry.object);
  return (n: number): ListedEntry => {
    const id = idOf(n);
    const volumes = [id.replace('i-', 'vol-')];
    const text = object.replaceAll(entry.id, id).replaceAll(entry.volumes?.[0] ?? id, volumes[0] ?? id);
    return { ...entry, id, volumes, object: JsonObject.parse(JSON.parse(text)) };
  };
};

const JsonObject = z.record(z.string(), z.unknown());
const idOf = (n: number): string => `i-${n.toString(16).padStart(17, '0')}`;

const Page = z.object({ count: z.number(), resources: z.array(z.object({ name: z.string() })) });

const token = 'a-token-of-the-bench';

/** The function as its handler wires it, without metrics, with a log that writes nothing, and without chunks in memory. */
const functionGetter = (client: DynamoDBDocumentClient): ((path: string) => Promise<string>) => {
  const clock = { now: Date.now, log: memoryLog() };
  const targets = servedTargets({
    ...{ homeAlias: 'home', homeRegions: [region, small.target.region], accounts: {} },
  });
  const reports = inventoryReports({
    inventory: dynamoDbInventoryReader(inventoryStorage({ client, table, cacheBytes: 1 })),
    collectionsIn: () => new Set([place.collection]),
    ...{ tagKeys, targets, provider, ...clock },
    ...{ plans: [], controllerLogs: {} },
    logs: { console: ec2ConsoleOutput(), task: () => Promise.reject(new Error('There are no tasks.')) },
  });
  const feed = dynamoDbChangeFeed(client, table);
  const app = router({
    operations,
    useCasesIn: () => ({
      reports,
      readChanges: readChanges({ feed, accounts: {}, streams: false, ...clock }),
    }),
    authentication: authentication({
      realm: 'inventory-api',
      credentials: [
        { secret: async () => token, opens: permits(['inventory:read', 'inventory:logs'], 'home') },
      ],
    }),
    targets: targets.paths,
    ...{ correlate: () => {}, ...clock },
  });
  const handler = httpApi((request, given) => app.fetch(request, given));
  return async (path) => {
    const request = new Request(`https://inventory-api${path}`, {
      headers: { authorization: `Bearer ${token}` },
    });
    const about = { requestId: crypto.randomUUID(), at: new Date(), body: Buffer.alloc(0) };
    const { statusCode, body = '' } = await handler(httpApiEvent(request, about));
    if (statusCode !== 200) throw new Error(`GET ${path}: HTTP ${statusCode} ${body}`);
    return body;
  };
};

/** Times the calls of a client. @returns a function that gives for how many milliseconds so far one or more of them have been under way. */
const timeCalls = (client: DynamoDBClient): (() => number) => {
  let [underWay, since, total] = [0, 0, 0];
  client.middlewareStack.add(
    (next) => async (args) => {
      if (underWay === 0) since = performance.now();
      underWay += 1;
      try {
        return await next(args);
      } finally {
        underWay -= 1;
        if (underWay === 0) total += performance.now() - since;
      }
    },
    { step: 'finalizeRequest', priority: 'low' },
  );
  return () => total;
};
