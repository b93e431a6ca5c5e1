import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DescribeInstancesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { readVms, vmLifecycle } from '../../functions/provider-api/service-types/vm.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2InstanceActions } from '../../shared/service-types/vm/ec2/instance-actions.ts';
import { ec2Instances } from '../../shared/service-types/vm/ec2/instances.ts';
import { ec2Offerings } from '../../shared/service-types/vm/ec2/offerings.ts';
import { planLaunch } from '../../shared/service-types/vm/plan/plan-launch.ts';
import { Provisioning } from '../../shared/service-types/vm/provisioning.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { memoryLog } from '../fakes/silent.ts';
import { launchPlan } from '../fixtures/launches.ts';
import { tagKeys } from '../fixtures/resource-messages.ts';
import { vmSpec } from '../fixtures/vm-spec.ts';

const region = 'us-east-1';

const ec2 = await startEc2Simulator({ emit: () => undefined, dwellMs: { pending: 60_000 } });
const dynamoDb = await startDynamoDb();
await createTable(dynamoDb.url, resourceTable('fleet'));
for (const [name, value] of Object.entries({
  AWS_ENDPOINT_URL_EC2: ec2.url,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
}))
  vi.stubEnv(name, value);
const table = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
afterEach(() => ec2.faults({ throttle: 0, noCapacity: [] }));
afterAll(async () => {
  table.destroy();
  vi.unstubAllEnvs();
  for (const part of [ec2, dynamoDb]) await part[Symbol.asyncDispose]();
});

const log = memoryLog();
const parts = {
  records: dynamoDbRecords(table, 'fleet', vmRecords, log),
  resourceStore: dynamoDbResourceStore(table, 'fleet', kinds),
  actions: ec2InstanceActions(),
  instances: ec2Instances(),
  observations: { send: async () => undefined },
  plan: async (_: unknown, { dcmId }: { readonly dcmId: string }) => {
    const { tags } = launchPlan();
    return launchPlan({
      placements: [
        { instanceType: 't3.small', zone: 'us-east-1a' },
        { instanceType: 't3.small', zone: 'us-east-1b' },
      ],
      tags: { ...tags, 'dcm-instance-id': dcmId },
    });
  },
  provider: 'ec2-sp',
  changeAdopted: false,
  tagKeys,
  now: Date.now,
  pause: (ms: number) => pause(ms),
  log,
  randomPart,
};
const create = (dcmId: string) =>
  vmLifecycle(parts).create({ dcmId, region, spec: vmSpec({}), requestId: 'request-1' });
const remove = (dcmId: string) => vmLifecycle(parts).delete(dcmId, 'r-1');
const { get, list } = readVms(parts);
const instancesOf = (dcmId: string) =>
  ec2.instances().filter(({ tags }) => tags['dcm-instance-id'] === dcmId);

describe('VMs, by DynamoDB (dynalite) and EC2 (simulated)', () => {
  it('are launched once for fifty requests at once, which get equal answers (C 29, C2 7)', async () => {
    const before = ec2.calls().RunInstances ?? 0;

    const answers = await Promise.all(Array.from({ length: 50 }, () => create('fifty')));

    expect(instancesOf('fifty')).toHaveLength(1);
    expect(ec2.calls().RunInstances).toBe(before + 1);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
  });

  it('are launched once although EC2 throttles half of the calls (C 44)', async () => {
    ec2.faults({ throttle: 0.5 });

    const answers = await Promise.all(Array.from({ length: 10 }, (_, index) => create(`throttled-${index}`)));

    expect(new Set(answers.map((answer) => answer.instance_id)).size).toBe(10);
  });

  it('are launched where there is capacity, with another client token (F 9)', async () => {
    ec2.faults({ noCapacity: [{ zone: 'us-east-1a' }] });

    expect(await create('elsewhere')).toMatchObject({ zone: 'us-east-1b', instance_type: 't3.small' });
    expect(instancesOf('elsewhere')).toHaveLength(1);
  });

  it('are spot instances where the spec requests one and the provider allows it', async () => {
    const offerings = ec2Offerings({ parameters: async () => undefined });
    const provisioning = Provisioning.parse({
      regions: { [region]: {} },
      images: { golden: { imageId: 'ami-0123456789abcdef0' } },
      spot: true,
    });
    const plan = planLaunch({ ...parts, offerings, provisioning, livingVms: async () => 0 });
    const spec = vmSpec({ guestOs: 'golden', hints: { spot: true } });

    const vm = await vmLifecycle({ ...parts, plan }).create({
      dcmId: 'spot',
      region,
      spec,
      requestId: 'request-1',
    });

    expect(vm.instance_type).toBe('t3.small');
    const client = new EC2Client(clientConfig(ec2.url));
    const command = new DescribeInstancesCommand({ InstanceIds: [vm.instance_id ?? ''] });
    const { Reservations = [] } = await client.send(command);
    client.destroy();
    expect(Reservations).toMatchObject([{ Instances: [{ InstanceLifecycle: 'spot' }] }]);
  });

  it('are read, listed and deleted', async () => {
    const created = await create('whole-life');

    const asRead = await get('whole-life');
    const listed = await list({ target: { region }, maximumPageSize: 100, pageToken: undefined });
    await remove('whole-life');
    await remove('whole-life');

    expect(asRead).toEqual(created);
    expect(listed.results).toContainEqual(created);
    expect(await get('whole-life')).toMatchObject({ status: 'DELETING' });
    expect(instancesOf('whole-life').map(({ state }) => state)).toEqual([
      expect.stringMatching(/shutting-down|terminated/),
    ]);
  });
});
