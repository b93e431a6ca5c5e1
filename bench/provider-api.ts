import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchWriteCommand, DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { provider } from '../local/options.ts';
import { clientConfig } from '../local/parts/client-config.ts';
import { type Stack, startStack } from '../local/stack.ts';
import { functionName } from '../local/wiring.ts';
import { dynamoDbFleet } from '../shared/adapters/dynamodb-fleet.ts';
import { dynamoDbVmRecords } from '../shared/adapters/dynamodb-vm-records.ts';
import { statusOf } from '../shared/domain/vm.ts';
import { VmPage, VmResource } from '../shared/wire/vm.ts';
import type { Figures } from './figures.ts';
import { median, percentile } from './statistics.ts';
import { temporaryFolder } from './temporary-folder.ts';
import { timed } from './timed.ts';

const table = `${provider}-fleet`;
const vms = 10_000;
const requests = 500;
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
  const callsBefore = ec2Calls(stack);
  const times = [...(await readVms(get)), ...(await readPages(get))];
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
  const fleet = dynamoDbFleet(client, table);
  await fleet.claim(model);
  const at = Math.floor(Date.now() / 1000);
  const running = { kind: 'observation', ...model, at, state: 'running', seenBy: 'event' } as const;
  const status = statusOf(running);
  await fleet.record(running, status);
  await fleet.settle({ ...model, history: [] }, [status.key]);

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

type Get = (path: string) => Promise<unknown>;

const getter =
  ({ endpoints }: Stack): Get =>
  async (path) => {
    const headers = { authorization: `Bearer ${endpoints.providerApiToken}` };
    const response = await fetch(`${endpoints.providerApiUrl}/api/v1alpha1/${path}`, { headers });
    if (!response.ok) throw new Error(`GET ${path}: HTTP ${response.status} ${await response.text()}`);
    return response.json();
  };

const readVms = async (get: Get): Promise<number[]> => {
  const times: number[] = [];
  for (let turn = 0; turn < requests; turn++) {
    const id = vmIdOf((turn * 7919) % vms);
    times.push(
      await timed(async () => {
        const vm = VmResource.parse(await get(`vms/${id}`));
        if (vm.id !== id || vm.status !== 'RUNNING') throw new Error(`${id} is not as it was written.`);
      }),
    );
  }
  return times;
};

/** Page after page, each of 50. */
const readPages = async (get: Get): Promise<number[]> => {
  const times: number[] = [];
  let token: string | undefined;
  for (let page = 0; page < vms / 50; page++) {
    const query = token === undefined ? '' : `?page_token=${encodeURIComponent(token)}`;
    times.push(
      await timed(async () => {
        const { results, next_page_token } = VmPage.parse(await get(`vms${query}`));
        if (results.length !== 50) throw new Error(`A page has ${results.length} VMs.`);
        token = next_page_token;
      }),
    );
  }
  return times;
};

const coldHealth = async ({ lambda }: Stack, get: Get): Promise<number> => {
  const name = functionName(provider, 'provider-api');
  while (lambda.pids(name).length > 0) {
    lambda.kill(name); // also one that a health check of DCM's has started meanwhile
    await sleep(10);
  }
  return timed(async () => {
    await get('vms/health');
  });
};

const ec2Calls = ({ ec2 }: Stack): number =>
  Object.values(ec2?.calls() ?? {}).reduce((sum, count) => sum + count, 0);
