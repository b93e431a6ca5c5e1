import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client, StopInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { publishEvents } from '../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../functions/normaliser/normalise.ts';
import { readMessage } from '../../functions/normaliser/read-message.ts';
import { handleRequest, Plan } from '../../functions/poller/handle-request.ts';
import { defaultAccount as home } from '../../local/emulators/callers.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import type { Faults } from '../../local/emulators/ec2/faults.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { startSts } from '../../local/emulators/sts.ts';
import { disposables } from '../../local/processes/disposables.ts';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { skippingFailedTargets } from '../../shared/runtime/breaker.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { servedVms } from '../../shared/service-types/vm/served.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../fakes/memory-event-stream.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';
import { halfPastTen, identity, tagKeys } from '../fixtures/resource-messages.ts';

const region = 'us-east-1';
const prod = '222222222222';
const lab = '333333333333';
/** The account whose targets fail has two; the same names everywhere. */
const regions = { prod: [region, 'eu-west-1'], lab: [region] };
const file = {
  externalId: 'a-secret-of-this-deployment',
  accounts: { prod: { id: prod, regions: regions.prod }, lab: { id: lab, regions: regions.lab } },
};
const path = '/dcm-ec2-sp/';
const trust = { principals: `arn:aws:iam::${home}:role${path}`, externalId: file.externalId };
const readerOf = (account: string) => ({
  ...{ account, path, name: 'dcm-ec2-sp-reader', trust, actions: ['ec2:Describe*'] },
});
const poller = { account: home, path, name: 'ec2-sp-poller', actions: ['*'] };

const { use, stop } = disposables();
afterEach(async () => {
  vi.unstubAllEnvs();
  await stop();
});
const dynamoDb = await startDynamoDb();
afterAll(() => dynamoDb[Symbol.asyncDispose]());
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));

const minute = 60_000;
const Told = z.object({ id: z.string(), status: z.string() });
const Reports = z.object({
  regions: z.array(z.object({ region: z.string(), lastListedAt: z.string().optional() })),
});
let tables = 0;

/** Poller and normaliser with DynamoDB, EC2 and STS for the home account and two others, and a clock that the test moves. */
const threeAccounts = async () => {
  const clock = { ms: (halfPastTen + 86_400) * 1000 };
  const now = () => clock.ms;
  const sts = await use(startSts({ roles: [readerOf(prod), readerOf(lab), poller] }));
  const ec2 = await use(
    startEc2Simulator({
      ...{ callers: sts.callers, emit: () => undefined, clock: now, seed: 1 },
      ...{ dwellMs: { stopping: 1, 'shutting-down': 1 }, retainedMs: 1 },
    }),
  );
  tables += 1;
  const table = `table-${tables}`;
  await createTable(dynamoDb.url, resourceTable(table));
  const own = sts.credentialsOf(poller, 'ec2-sp-poller');
  const environment = {
    ...{ AWS_REGION: region, AWS_LAMBDA_FUNCTION_NAME: poller.name, AWS_ENDPOINT_URL_STS: sts.url },
    ...{ AWS_ACCESS_KEY_ID: own.accessKeyId, AWS_SECRET_ACCESS_KEY: own.secretAccessKey },
    AWS_SESSION_TOKEN: own.sessionToken,
  };
  for (const [name, value] of Object.entries({ ...environment, AWS_ENDPOINT_URL_EC2: ec2.url }))
    vi.stubEnv(name, value);

  const accounts = assumedAccounts({ file, provider: 'ec2-sp', role: 'reader', environment });
  const instances = ec2Instances(accounts);
  const resourceStore = dynamoDbResourceStore(client, table, kinds, now);
  const listings = dynamoDbListings(client, table, now);
  const telemetry = { now, log: memoryLog(), meter: countingMeter() };
  const stream = memoryEventStream();
  let queued: EventBridgeEvent[] = [];
  const shared = { ...{ resourceStore, listings, accounts: file.accounts, ...identity, ...telemetry } };
  const targets = [
    { region },
    ...regions.prod.map((one) => ({ account: prod, region: one })),
    ...regions.lab.map((one) => ({ account: lab, region: one })),
  ];
  const ask = handleRequest({
    ...{ ...shared, floorSeconds: 60, random: () => 0.999 },
    types: [{ ...servedVms(instances), statusChecks: instances }],
    targets: targets.map((target) => ({ target, mode: 'legacy' })),
    observations: { send: async (events) => void queued.push(...events) },
  });
  const handle = reportStatus({
    ...{ ...shared, homeAccount: home, randomPart, burst: 99, publisher: publishEvents(stream) },
    types: [
      skippingFailedTargets(
        servedVms(instances, dynamoDbRecords(client, table, vmRecords, telemetry.log)),
        now,
      ),
    ],
    retries: { deadLetter: async () => undefined },
    observations: { send: async () => undefined }, // later checks are not what is tested
  });
  const read = readMessage({
    ...{ regions: [region], account: home, accounts: file.accounts, ...identity, ...telemetry },
  });

  /** One batch; what fails is delivered again with the next one. */
  const normalise = async () => {
    const batch = queued.map((event, place) => ({ event, messageId: String(place) }));
    queued = [];
    const failures = await handle(
      batch.map(({ event, messageId }) => ({
        ...{ messageId, isRetry: true, resourceMessages: read(JSON.stringify(event)) },
      })),
    );
    queued.push(...batch.filter(({ messageId }) => failures.has(messageId)).map(({ event }) => event));
  };
  const reports = async () => Reports.parse(await ask({ do: 'regions' })).regions;

  /** When which target was listed and what was published, in minutes since the start. */
  const listed: string[] = [];
  const published: string[] = [];
  const startedAtMs = clock.ms;
  let told = 0;
  const note = async () => {
    const at = (clock.ms - startedAtMs) / minute;
    for (const { region: name, lastListedAt } of await reports())
      if (lastListedAt === new Date(clock.ms).toISOString()) listed.push(`${at} ${name}`);
    for (const { data } of stream.stored.slice(told)) {
      const { id, status } = Told.parse(data);
      published.push(`${at} ${id} ${status}`);
    }
    told = stream.stored.length;
  };

  let execution = 1;
  /** How long each turn really took. */
  const turnMs: number[] = [];
  const turn = async (untilMs: number) => {
    const {
      next,
      regions: due,
      waitSeconds,
    } = Plan.parse(await ask({ do: 'plan', execution: `${execution}` }));
    if (next !== 'poll') execution += 1;
    const wakeUpMs = clock.ms + waitSeconds * 1000;
    clock.ms = Math.min(wakeUpMs, untilMs);
    if (next !== 'poll' || wakeUpMs > untilMs) return;
    const startMs = performance.now();
    await Promise.allSettled(due.map(({ region: key }) => ask({ do: 'poll', region: key })));
    turnMs.push(performance.now() - startMs);
    await normalise();
    await note();
  };

  return {
    ...{ ec2, sts, ask, listed, published, turnMs, meter: telemetry.meter },
    /** Polls for so many minutes. */
    async pass(minutes: number) {
      const untilMs = clock.ms + minutes * minute;
      while (clock.ms < untilMs) await turn(untilMs);
    },
    launch: (account: string, ...dcmIds: string[]) =>
      ec2.populate({
        ...{ account, region, count: dcmIds.length },
        tags: (place) => ({
          ...{ [tagKeys.managedBy]: 'dcm', [tagKeys.provider]: 'ec2-sp' },
          [tagKeys.instanceId]: dcmIds[place] ?? '',
        }),
      }),
    /** What happens to instances of one account, whatever is refused to the provider. */
    in: (account: string) => {
      const aws = new EC2Client(clientConfig(ec2.url, region, account));
      return {
        stop: (id = '') => aws.send(new StopInstancesCommand({ InstanceIds: [id] })),
        /** It is forgotten at once, so that only its absence shows it. */
        terminate: (id = '') => aws.send(new TerminateInstancesCommand({ InstanceIds: [id] })),
      };
    },
    of: (account: string) => (line: string) => line.split(' ')[1]?.startsWith(`${account}-`) === true,
  };
};

type World = Awaited<ReturnType<typeof threeAccounts>>;
type Fault = { readonly begin: (world: World) => void; readonly end: (world: World) => void };

const inEc2 = (change: Partial<Faults>, normal: Partial<Faults>): Fault => ({
  begin: ({ ec2 }) => ec2.faults(change, { account: prod }),
  end: ({ ec2 }) => ec2.faults(normal, { account: prod }),
});
const faults: Readonly<Record<string, Fault>> = {
  'whose role is revoked': {
    begin: ({ sts }) => sts.revoke(readerOf(prod)),
    end: ({ sts }) => sts.grant(readerOf(prod)),
  },
  'that throttles every call': inEc2({ throttle: 1 }, { throttle: 0 }),
  'that answers with errors': inEc2({ outage: 'refuses' }, { outage: undefined }),
  'that does not answer': inEc2({ outage: 'hangs' }, { outage: undefined }),
  'whose listings are empty': inEc2({ emptyListings: true }, { emptyListings: false }),
};

const withoutTime = (line: string): string => line.split(' ').slice(1).join(' ');

const numbered = (account: string, count: number) =>
  Array.from({ length: count }, (_, place) => `${account}-${place}`);

/** Until a target without changes is listed every five minutes. */
const quietMinutes = 9;

/** The same life of all accounts, in which `fault` concerns the account prod for 25 minutes. */
const life = async (fault: Fault | undefined) => {
  const world = await threeAccounts();
  const { launch, pass } = world;
  const [ours, theirs, labs] = [
    launch(home, ...numbered('home', 4)),
    launch(prod, ...numbered('prod', 30)),
    launch(lab, ...numbered('lab', 4)),
  ];
  await pass(quietMinutes);

  await world.in(home).stop(ours[0]);
  await world.in(home).terminate(ours[1]);
  await world.in(lab).terminate(labs[1]);
  await world.in(prod).stop(theirs[0]);
  await world.in(prod).terminate(theirs[1]);
  fault?.begin(world);
  await pass(5);
  launch(lab, 'lab-new');
  await pass(20);

  const isOfOthers = (line: string) => !/ prod[-/]/.test(line);
  const during = {
    listed: world.listed.filter(isOfOthers),
    published: world.published.filter(isOfOthers),
    ofProd: world.published.filter(world.of('prod')).filter((line) => Number.parseFloat(line) > quietMinutes),
    turnMs: [...world.turnMs],
  };
  fault?.end(world);
  await pass(30);
  return { ...world, during };
};
const withoutFault = await life(undefined).finally(stop);

describe('the other targets of a deployment', () => {
  it('are listed and published, so that there is something to compare', () => {
    const { during } = withoutFault;
    const statuses = during.published.map(withoutTime);

    expect(statuses.filter((one) => !one.endsWith('RUNNING'))).toEqual(
      expect.arrayContaining(['home-0 STOPPED', 'home-1 DELETED', 'lab-1 DELETED']),
    );
    expect(statuses).toContain('lab-new RUNNING');
    expect(during.ofProd.map(withoutTime)).toEqual(
      expect.arrayContaining(['prod-0 STOPPED', 'prod-1 DELETED']),
    );
    expect(during.listed.length).toBeGreaterThan(20);
  });

  it.each(Object.keys(faults))(
    'have the same listings and statuses, at the same times, beside an account %s',
    async (name) => {
      const { during, published, meter } = await life(faults[name]);

      expect(during.listed).toEqual(withoutFault.during.listed);
      expect(during.published).toEqual(withoutFault.during.published);
      // an empty listing is no proof, but a question for the id of a VM is
      expect(during.ofProd.filter((line) => !line.endsWith(' prod-1 DELETED'))).toEqual([]);
      // the first attempt at a target that does not answer, and every fourth one, take the whole timeout of five seconds
      expect(during.turnMs.filter((ms) => ms > 4_000).length).toBeLessThanOrEqual(3);
      const ofProd = published.map(withoutTime).filter((line) => line.startsWith('prod-'));
      expect(ofProd.slice(30).sort()).toEqual(['prod-0 STOPPED', 'prod-1 DELETED']);
      expect(meter.counts.breakerTripped).toBe(name === 'whose listings are empty' ? 1 : undefined);
    },
    90_000,
  );
});
