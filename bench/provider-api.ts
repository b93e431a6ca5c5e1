import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { clientConfig } from '../local/client-config.ts';
import { provider } from '../local/options.ts';
import { type Stack, startStack } from '../local/stack.ts';
import { functionName } from '../local/wiring.ts';
import { dynamoDbVmRecords } from '../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../shared/adapters/random-part.ts';
import { statusOf } from '../shared/core/resource.ts';
import { VmPage, VmResource } from '../shared/service-types/vm/resource.ts';
import type { Figures } from './figures.ts';
import { median, percentile } from './statistics.ts';
import { temporaryFolder } from './temporary-folder.ts';

const table = `${provider}-fleet`;
const vms = 10_000;
/** Of each kind. The first ones, in a new process, are not counted: a cold start has a figure of its own. */
const requests = 500;
const warmUps = 100;
const coldStarts = 5;
const perBatch = 25;
const region = 'us-east-1';
const account = '123456789012';

/** How long the provider-api takes to tell of 10,000 VMs, which costs EC2 nothing, and a new one to tell its health. */
export const providerApi = async (): Promise<Figures> => {
  await using folder = await temporaryFolder();
  await using stack = await startStack({
    folder: folder.path,
    healthIntervalMs: 600_000, // DCM's checks would start new processes, too
    pollFloorSeconds: 300, // so that no call to EC2 meanwhile is the poller's
    log: () => {},
    progress: () => {},
  });
  await remember(stack.endpoints.dynamodbUrl);
  const get = getter(stack);
  const read = async (requests: number) => [
    ...(await readVms(get, requests)),
    ...(await readPages(get, requests)),
  ];
  await read(warmUps);
  const callsBefore = ec2Calls(stack);
  const times = await read(requests);
  const calls = ec2Calls(stack) - callsBefore;
  const cold: number[] = [];
  for (let turn = 0; turn < coldStarts; turn++) cold.push(await coldHealth(stack, get));
  return {
    get_p99_ms_10k: percentile(times, 0.99),
    get_p50_ms_10k: median(times),
    get_ec2_calls_10k: calls,
    health_cold_ms: median(cold),
  };
};

/** One VM as the functions write it, and copies of it that differ in their ids alone. */
const remember = async (url: string): Promise<void> => {
  const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(url)));
  const model = { vmId: vmIdOf(0), instanceId: instanceIdOf(0), region, account };
  const facts = { instanceType: 't3.small', launchedAtMs: Date.now() };
  await dynamoDbVmRecords(client, table, console).adopt({ ...model, facts });
  const resourceStore = dynamoDbResourceStore(client, table);
  await resourceStore.claim(model);
  const at = Math.floor(Date.now() / 1000);
  const running = { kind: 'observation', ...model, at, state: 'running', seenBy: 'event' } as const;
  const status = statusOf(running, randomPart());
  await resourceStore.record(running, status);
  await resourceStore.settle({ ...model, outbox: [], history: [] }, [status.key]);

  const read = async (pk: string) =>
    (await client.send(new GetCommand({ TableName: table, Key: { pk } }))).Item;
  const [record, instance] = [await read(`vm#${model.vmId}`), await read(model.instanceId)];
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
  const name = functionName(provider, 'provider-api');
  while (lambda.pids(name).length > 0) {
    lambda.kill(name); // also one that a health check of DCM's has started meanwhile
    await sleep(10);
  }
  return (await get('vms/health')).ms;
};

const ec2Calls = ({ ec2 }: Stack): number =>
  Object.values(ec2?.calls() ?? {}).reduce((sum, count) => sum + count, 0);
