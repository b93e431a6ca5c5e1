import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { takeStep } from '../../functions/cluster-steps/take-step.ts';
import { clusterUseCases } from '../../functions/provider-api/service-types/cluster.ts';
import { containerUseCases } from '../../functions/provider-api/service-types/container.ts';
import { defaultAccount as home } from '../../local/emulators/callers.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { subnetsOf } from '../../local/emulators/ec2/actions/network.ts';
import { startEc2Simulator } from '../../local/emulators/ec2/start-ec2-simulator.ts';
import { startEcsEmulator } from '../../local/emulators/ecs/start-ecs-emulator.ts';
import { startEksEmulator } from '../../local/emulators/eks/start-eks-emulator.ts';
import { startSts } from '../../local/emulators/sts.ts';
import { disposables } from '../../local/processes/disposables.ts';
import { assumedAccounts } from '../../shared/adapters/aws/accounts.ts';
import { ssmParameters } from '../../shared/adapters/aws/ssm-parameters.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { targetKey } from '../../shared/core/target.ts';
import type { ClusterStepRequest } from '../../shared/ports/cluster-steps.ts';
import {
  eksCalls,
  eksClusterActions,
  eksClusterVersions,
} from '../../shared/service-types/cluster/eks/cluster-actions.ts';
import { eksClusters } from '../../shared/service-types/cluster/eks/clusters.ts';
import { ClusterProvisioning } from '../../shared/service-types/cluster/provisioning.ts';
import { clusterRecords } from '../../shared/service-types/cluster/record.ts';
import { specOf } from '../../shared/service-types/cluster/spec.ts';
import { ecsCalls } from '../../shared/service-types/container/ecs/calls.ts';
import { ecsTaskActions } from '../../shared/service-types/container/ecs/task-actions.ts';
import { ecsTasks } from '../../shared/service-types/container/ecs/tasks.ts';
import { ContainerProvisioning } from '../../shared/service-types/container/provisioning.ts';
import { containerRecords } from '../../shared/service-types/container/record.ts';
import { containerSpecOf } from '../../shared/service-types/container/spec.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { ec2Calls } from '../../shared/service-types/vm/ec2/calls.ts';
import { ec2Offerings } from '../../shared/service-types/vm/ec2/offerings.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { memoryLog } from '../fakes/silent.ts';
import { containerSpec } from '../fixtures/container-spec.ts';
import { identity } from '../fixtures/resource-messages.ts';

/** The member account, in another region than the home region; it has resources of the same kinds as the home account. */
const target = { account: '222222222222', region: 'eu-west-1' };
const { account, region } = target;
const roleOf = (name: string) => `arn:aws:iam::${account}:role/${name}`;
const path = '/dcm-ec2-sp/';
const externalId = 'a-secret-of-this-deployment';
const trust = { principals: `arn:aws:iam::${home}:role${path}`, externalId };
const launcher = {
  ...{ account, path, name: 'dcm-ec2-sp-launcher', trust },
  actions: ['ec2:*', 'ecs:*', 'eks:*'],
};
const reader = { ...launcher, name: 'dcm-ec2-sp-reader', actions: ['*'] };
/** The function's own role, which may do nothing but assume others: a call with its credentials is refused. */
const provisioner = { account: home, path, name: 'ec2-sp-provider-api', actions: ['sts:AssumeRole'] };

const { use, stop } = disposables();
const dynamoDb = await use(startDynamoDb());
await createTable(dynamoDb.url, resourceTable('fleet'));
const sts = await use(startSts({ roles: [launcher, reader, provisioner] }));
const { callers } = sts;
const ec2 = await use(startEc2Simulator({ callers, emit: () => undefined }));
const ecs = await use(
  startEcsEmulator({
    ...{ callers, network: ec2.network, emit: () => undefined, clusters: ['dcm'] },
    dwellMs: {
      missing: 0,
      PROVISIONING: 5,
      PENDING: 5,
      ACTIVATING: 5,
      DEACTIVATING: 5,
      DEPROVISIONING: 5,
      sigterm: 5,
    },
  }),
);
const eks = await use(startEksEmulator({ callers, subnets: subnetsOf }));
const own = sts.credentialsOf(provisioner, provisioner.name);
const environment = {
  ...{ AWS_REGION: 'us-east-1', AWS_LAMBDA_FUNCTION_NAME: provisioner.name, AWS_ENDPOINT_URL_STS: sts.url },
  ...{ AWS_ACCESS_KEY_ID: own.accessKeyId, AWS_SECRET_ACCESS_KEY: own.secretAccessKey },
  AWS_SESSION_TOKEN: own.sessionToken,
};
for (const [name, value] of Object.entries({
  ...environment,
  ...{ AWS_ENDPOINT_URL_EC2: ec2.url, AWS_ENDPOINT_URL_ECS: ecs.url, AWS_ENDPOINT_URL_EKS: eks.url },
}))
  vi.stubEnv(name, value);
const table = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
afterAll(async () => {
  table.destroy();
  vi.unstubAllEnvs();
  await stop();
});

const accounts = assumedAccounts({
  file: { externalId, accounts: { prod: { id: account, regions: [region] } } },
  ...{ provider: 'ec2-sp', role: 'launcher', environment },
});
const log = memoryLog();
const events: EventBridgeEvent[] = [];
const queue: ClusterStepRequest[] = [];
const shared = {
  ...{ account, resourceStore: dynamoDbResourceStore(table, 'fleet', kinds) },
  observations: { send: async (sent: readonly EventBridgeEvent[]) => void events.push(...sent) },
  ...{ ...identity, now: Date.now, log, pause: (ms: number) => pause(ms) },
};
const zones = subnetsOf(region).slice(0, 2);
beforeEach(() => {
  events.length = 0;
  queue.length = 0;
});

const assumedRoles = () =>
  new Set(sts.assumed().map(({ role, name }) => `${role.account} ${role.name} ${name}`));
const asTheLauncher = new Set([`${account} ${launcher.name} ${provisioner.name}`]);

describe('a container of another account', () => {
  const settings = {
    ...identity,
    accounts,
    call: ecsCalls(accounts),
    clusterOf: () => 'dcm',
    publicAddresses: false,
  };
  const {
    create,
    read,
    delete: remove,
  } = containerUseCases({
    ...{ ...shared, records: dynamoDbRecords(table, 'fleet', containerRecords, log) },
    ...{ tasks: ecsTasks(settings), actions: ecsTaskActions(settings), startingAs: 'PENDING' },
    provisioning: ContainerProvisioning.parse({
      regions: {
        [region]: { ecsCluster: 'dcm', subnets: zones.map(({ id }) => id), logGroup: '/dcm/containers' },
      },
      executionRoleArn: roleOf('pull-images'),
    }),
  });
  const dcmId = 'web-1';

  it('is run and stopped there, as the launcher', async () => {
    await create({ ...{ dcmId, region, account, requestId: 'r' }, spec: containerSpecOf(containerSpec({})) });

    expect(ecs.tasks().map(({ arn }) => arn.split(':').slice(3, 5))).toEqual([[region, account]]);
    expect(await read.get(dcmId)).toMatchObject({ id: dcmId, region });
    await expect.poll(() => ecs.tasks()[0]?.lastStatus).toBe('RUNNING');

    await remove(dcmId, 'r-2');
    await expect.poll(() => ecs.tasks()[0]?.lastStatus).toBe('STOPPED');
    expect(new Set(events.map((event) => `${event.account} ${event.region}`))).toEqual(
      new Set([`${account} ${region}`]),
    );
    expect(assumedRoles()).toEqual(asTheLauncher);
    expect([ecs.calls({ account: home }), eks.calls({ account: home })]).toEqual([{}, {}]);
  });
});

describe('a cluster of another account', () => {
  const records = dynamoDbRecords(table, 'fleet', clusterRecords, log);
  const calls = eksCalls(accounts);
  const clusters = eksClusters(accounts);
  const actions = eksClusterActions(calls);
  const steps = { request: async (requests: readonly ClusterStepRequest[]) => void queue.push(...requests) };
  const nodeRoleArn = roleOf('nodes');
  const useCases = clusterUseCases({
    ...{ ...shared, records, clusters, actions, steps, versions: eksClusterVersions(calls) },
    instanceTypes: ec2Offerings({ call: ec2Calls(accounts), parameters: ssmParameters(accounts) })
      .instanceTypes,
    provisioning: ClusterProvisioning.parse({
      regions: { [region]: { subnets: zones } },
      ...{ clusterRoleArn: roleOf('control-plane'), nodeRoleArn, adminPrincipals: [roleOf('admins')] },
    }),
  });
  const take = takeStep({
    ...{ ...shared, records, clusters, actions, steps, stepSeconds: 25 },
    settingsIn: (asked) =>
      targetKey(asked) === targetKey(target)
        ? { nodeRoleArn, adminPrincipals: [roleOf('admins')], changeAdopted: false }
        : undefined,
  });
  const dcmId = 'kube-1';
  const untilAtRest = async () => {
    for (let step = 0; step < 6; step++) {
      await take({ dcmId, continues: false, wasSeen: true });
      for (const { name, nodeGroups } of eks.clusters()) {
        eks.settle(name);
        for (const group of nodeGroups) eks.settle(name, group.name);
      }
    }
  };

  it('is created with its workers and deleted step by step there, as the launcher', async () => {
    const [newest] = (await eksClusterVersions(calls)(target)).filter(
      ({ support }) => support === 'standard',
    );
    const spec = specOf({
      version: newest?.version,
      nodes: { workers: { count: 1, cpu: 2, memory: '8GB', storage: '20GB' } },
    });
    await useCases.create({ dcmId, region, account, requestId: 'r', spec });
    expect(queue).toEqual([{ dcmId, continues: true }]);

    await untilAtRest();
    expect(eks.clusters()).toMatchObject([
      {
        arn: `arn:aws:eks:${region}:${account}:cluster/${dcmId}`,
        status: 'ACTIVE',
        nodeGroups: [{ status: 'ACTIVE' }],
      },
    ]);

    await useCases.delete(dcmId, 'r-2');
    await untilAtRest();

    expect(eks.clusters()).toEqual([]);
    expect(events.at(-1)).toMatchObject({ account, region, detail: { state: 'DELETED' } });
    expect(assumedRoles()).toEqual(asTheLauncher);
    expect([ec2.calls({ account: home }), eks.calls({ account: home })]).toEqual([{}, {}]);
    expect(eks.calls(target)).toMatchObject({ CreateCluster: 1, CreateNodegroup: 1, DeleteCluster: 1 });
  });
});
