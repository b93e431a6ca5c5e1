import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SQSClient } from '@aws-sdk/client-sqs';
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { operations } from '../functions/provider-api/operations/registry.ts';
import { vmUseCases } from '../functions/provider-api/service-types/vm.ts';
import { functionNameOf } from '../infra/functions.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { httpApiEvent } from '../local/emulators/http-api.ts';
import { provisioning } from '../local/stack/functions.ts';
import { provider } from '../local/stack/options.ts';
import type { Stack } from '../local/stack/start-stack.ts';
import { dynamoDbRecords } from '../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../shared/adapters/random-part.ts';
import { sqsObservations } from '../shared/adapters/sqs/observations.ts';
import { statusOf } from '../shared/core/resource.ts';
import { authentication } from '../shared/http/authentication.ts';
import { router, targetPaths } from '../shared/http/router.ts';
import { httpApi } from '../shared/runtime/http-api.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import { ec2InstanceActions } from '../shared/service-types/vm/ec2/instance-actions.ts';
import { ec2Instances } from '../shared/service-types/vm/ec2/instances.ts';
import { ec2Offerings } from '../shared/service-types/vm/ec2/offerings.ts';
import { awsVcpuQuota } from '../shared/service-types/vm/ec2/vcpu-quota.ts';
import { vmKind } from '../shared/service-types/vm/kind.ts';
import { vmRecords } from '../shared/service-types/vm/record.ts';
import { VmPage, VmResource } from '../shared/service-types/vm/resource.ts';
import { memoryLog } from '../test/fakes/silent.ts';
import { startMeasuredStack } from './emulators.ts';
import type { Figures } from './figures.ts';
import { median, percentile, timedPair } from './measure.ts';
import { recordCalls } from './recorded-calls.ts';
import { account, region, tagKeys } from './workload.ts';

const table = `${provider}-fleet`;
const vms = 10_000;
/** Of each kind. The first ones, in a new process, are not counted: a cold start has a figure of its own. */
const requests = 500;
const warmUps = 100;
const coldStarts = 5;
const perBatch = 25;
/** Of `getRatios`: so many pairs of a GET and its reads are a round, which has a ratio of each percentile. */
const rounds = 9;
const pairsPerRound = 300;

/** How long the provider-api takes to answer about 10,000 VMs, which takes no call to EC2, and a new process of it about its health. */
export const providerApi = async (): Promise<Figures> => {
  await using stack = await startMeasuredStack({
    healthIntervalMs: 600_000, // DCM's checks would start new processes, too
    pollFloorSeconds: 300, // so that no call to EC2 meanwhile is the poller's
  });
  await storeVms(stack.endpoints.dynamodbUrl);
  const get = getter(stack);
  const readAll = async (requests: number) => [
    ...(await readVms(get, requests)),
    ...(await readPages(get, requests)),
  ];
  await readAll(warmUps);
  const callsBefore = ec2Calls(stack);
  const times = await readAll(requests);
  const calls = ec2Calls(stack) - callsBefore;
  const ratios = await getRatios(stack.endpoints.dynamodbUrl);
  const cold: number[] = [];
  for (let turn = 0; turn < coldStarts; turn++) cold.push(await coldHealth(stack, get));
  return {
    ...ratios,
    get_p50_ms_10k: median(times),
    get_p99_ms_10k: percentile(times, 0.99),
    get_ec2_calls_10k: calls,
    health_cold_ms: median(cold),
  };
};

/** One VM as the functions write it, and copies of it that differ in their ids alone. */
const storeVms = async (url: string): Promise<void> => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(url)));
  const model = { dcmId: vmIdOf(0), resourceId: instanceIdOf(0), region, account };
  const facts = { instanceType: 't3.small', launchedAtMs: Date.now() };
  await dynamoDbRecords(client, table, vmRecords, console).adopt({ ...model, facts });
  const resourceStore = dynamoDbResourceStore(client, table, kinds);
  await resourceStore.claim(model);
  const at = Math.floor(Date.now() / 1000);
  const running = { kind: 'observation', ...model, at, state: 'running', seenBy: 'event' } as const;
  const status = statusOf(vmKind, running, randomPart());
  await resourceStore.record(running, status);
  await resourceStore.settle({ ...model, outbox: [], history: [] }, [status.key]);

  const read = async (pk: string) =>
    (await client.send(new GetCommand({ TableName: table, Key: { pk } }))).Item;
  const [record, instance] = [await read(`vm#${model.dcmId}`), await read(model.resourceId)];
  const copies = Array.from({ length: vms - 1 }, (_, index) => index + 1).flatMap((n) => [
    { ...record, pk: `vm#${vmIdOf(n)}`, vmId: vmIdOf(n), instanceId: instanceIdOf(n) },
    { ...instance, pk: instanceIdOf(n), vmId: vmIdOf(n) },
  ]);
  for (let start = 0; start < copies.length; start += perBatch) {
    const puts = copies.slice(start, start + perBatch).map((Item) => ({ PutRequest: { Item } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [table]: puts } }));
  }
  client.destroy();
};

const vmIdOf = (n: number): string => `vm-${String(n).padStart(5, '0')}`;
const instanceIdOf = (n: number): string => `i-${n.toString(16).padStart(17, '0')}`;

/**
 * GET of a VM by the function without Lambda's runtime, ÷ the DynamoDB reads that it makes, by themselves. Each GET is followed or preceded
 * by its own reads; the ratios are medians of rounds.
 */
const getRatios = async (url: string): Promise<Figures> => {
  const client = new DynamoDBClient(clientConfig(url));
  const [lambda, sqs] = [new LambdaClient(clientConfig(url)), new SQSClient(clientConfig(url))];
  const clients = { dynamoDb: DynamoDBDocumentClient.from(client), lambda };
  const get = functionGetter({ ...clients, sqs });
  const pairs = await Promise.all(
    Array.from({ length: pairsPerRound }, async (_, n) => {
      const dcmId = vmIdOf((n * 7919) % vms);
      const { dynamoDb, replay } = recordCalls(clients);
      await functionGetter({ dynamoDb, sqs })(dcmId);
      return { product: () => get(dcmId), baseline: replay };
    }),
  );
  const measured: { p50: number; p99: number }[] = [];
  for (let round = 0; round <= rounds; round++) {
    const times: Awaited<ReturnType<typeof timedPair>>[] = [];
    for (const [turn, pair] of pairs.entries()) times.push(await timedPair(pair, turn));
    const ratioAt = (share: number) =>
      percentile(
        times.map(({ product }) => product),
        share,
      ) /
      percentile(
        times.map(({ baseline }) => baseline),
        share,
      );
    measured.push({ p50: ratioAt(0.5), p99: ratioAt(0.99) });
  }
  client.destroy();
  lambda.destroy();
  sqs.destroy();
  const counted = measured.slice(1); // the first round warms up
  return {
    get_ratio_p50: median(counted.map(({ p50 }) => p50)),
    get_ratio_p99: median(counted.map(({ p99 }) => p99)),
  };
};

const token = 'a-token-of-the-bench';

type FunctionClients = { readonly dynamoDb: DynamoDBDocumentClient; readonly sqs: SQSClient };

/** The function as its handler wires it, without metrics, and with a log that writes nothing. */
const functionGetter = ({ dynamoDb, sqs }: FunctionClients): ((dcmId: string) => Promise<void>) => {
  const [log, now] = [memoryLog(), Date.now];
  const vm = vmUseCases({
    records: dynamoDbRecords(dynamoDb, table, vmRecords, log),
    resourceStore: dynamoDbResourceStore(dynamoDb, table, kinds),
    instances: ec2Instances(),
    actions: ec2InstanceActions(),
    offerings: ec2Offerings(),
    vcpuQuota: awsVcpuQuota(),
    observations: sqsObservations(sqs, 'http://127.0.0.1:9'),
    provisioning: provisioning({}),
    ...{ provider, tagKeys, now, pause: async () => {}, log },
  });
  const unused = () => Promise.reject(new Error('A GET of a VM does not check health.'));
  const app = router({
    ...{ operations, useCasesIn: () => ({ vm, checkHealth: unused, findRequest: undefined }) },
    authentication: authentication({
      ...{ realm: 'provider-api', credentials: [{ secret: async () => token }] },
    }),
    targets: targetPaths({ homeRegion: region, accounts: {} }),
    ...{ correlate: () => {}, log, now },
  });
  const handler = httpApi((request, given) => app.fetch(request, given));
  return async (dcmId) => {
    const url = `https://provider-api/api/v1alpha1/vms/${dcmId}`;
    const request = new Request(url, { headers: { authorization: `Bearer ${token}` } });
    const about = { requestId: crypto.randomUUID(), at: new Date(), body: Buffer.alloc(0) };
    const { statusCode, body = '' } = await handler(httpApiEvent(request, about));
    if (statusCode !== 200) throw new Error(`GET vms/${dcmId}: HTTP ${statusCode} ${body}`);
  };
};

type Got = { readonly body: unknown; readonly ms: number };
type Get = (path: string) => Promise<Got>;

/** Timed until the whole answer is there; what it says is read afterwards. */
const getter = ({ endpoints }: Stack): Get => {
  const headers = { authorization: `Bearer ${endpoints.providerApiToken}` };
  return async (path) => {
    const startedAt = performance.now();
    const response = await fetch(`${endpoints.providerApiUrl}/api/v1alpha1/${path}`, { headers });
    const text = await response.text();
    const ms = performance.now() - startedAt;
    if (!response.ok) throw new Error(`GET ${path}: HTTP ${response.status} ${text}`);
    return { body: JSON.parse(text), ms };
  };
};

const readVms = async (get: Get, requests: number): Promise<number[]> => {
  const times: number[] = [];
  for (let turn = 0; turn < requests; turn++) {
    const id = vmIdOf((turn * 7919) % vms);
    const { body, ms } = await get(`vms/${id}`);
    const vm = VmResource.parse(body);
    if (vm.id !== id || vm.status !== 'RUNNING') throw new Error(`${id} is not as it was written.`);
    times.push(ms);
  }
  return times;
};

/** Page after page, each of 50. */
const readPages = async (get: Get, requests: number): Promise<number[]> => {
  const times: number[] = [];
  let query = '';
  for (let page = 0; page < requests; page++) {
    const { body, ms } = await get(`vms${query}`);
    const { results, next_page_token: token } = VmPage.parse(body);
    if (results.length !== 50) throw new Error(`A page has ${results.length} VMs.`);
    query = token === undefined ? '' : `?page_token=${encodeURIComponent(token)}`;
    times.push(ms);
  }
  return times;
};

const coldHealth = async ({ lambda }: Stack, get: Get): Promise<number> => {
  const name = functionNameOf(provider, 'provider-api');
  while (lambda.pids(name).length > 0) {
    lambda.kill(name); // also one that a health check of DCM's has started meanwhile
    await sleep(10);
  }
  return (await get('vms/health')).ms;
};

const ec2Calls = ({ ec2 }: Stack): number =>
  Object.values(ec2?.calls() ?? {}).reduce((sum, count) => sum + count, 0);
