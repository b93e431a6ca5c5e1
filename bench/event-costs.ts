import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { publishEvents } from '../functions/nats-bridge/publish-events.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { provider } from '../local/stack/options.ts';
import { dynamoDbResourceStore } from '../shared/adapters/dynamodb/resource-store.ts';
import type { StatusBus } from '../shared/ports/status-bus.ts';
import { servedContainers } from '../shared/service-types/container/served.ts';
import { kinds } from '../shared/service-types/kinds.ts';
import type { InstanceState } from '../shared/service-types/vm/kind.ts';
import { servedVms } from '../shared/service-types/vm/served.ts';
import { memoryEventStream } from '../test/fakes/memory-event-stream.ts';
import { described, scriptedInstances } from '../test/fakes/scripted-instances.ts';
import { wholeLife } from '../test/fixtures/resource-messages.ts';
import { countCapacity } from './capacity.ts';
import { startTable, tableName } from './emulators.ts';
import type { Figures } from './figures.ts';
import { quietNormaliser } from './quiet-normaliser.ts';
import { account, region, type Subject, sqsBatches, stateChangeBody, subjects } from './workload.ts';

/** Of ours, and as many of others. */
const instances = 125;
const secondsBetween = 30;

/** What events cost at DynamoDB, by its own account, and at EC2, with one warm normaliser. */
export const eventCosts = async (): Promise<Figures> => {
  await using dynamoDb = await startTable();
  using normaliser = meteredNormaliser(dynamoDb.url);
  const [ours, others] = [subjects(instances, '1'), subjects(instances, '2')];

  await normaliser.claim(ours);
  const owned = await normaliser.costOfLives(ours, wholeLife);
  if (normaliser.published() !== instances * wholeLife.length)
    throw new Error('Not every status was published.');
  await normaliser.costOfLives(others, ['running']); // first sight
  const foreign = await normaliser.costOfLives(others, wholeLife);
  return {
    write_units_per_owned_event: owned.writes,
    read_units_per_owned_event: owned.reads,
    write_units_per_1000_foreign: foreign.writes * 1000,
    read_units_per_1000_foreign: foreign.reads * 1000,
    ec2_calls_per_1000_owned: owned.calls * 1000,
    ec2_calls_per_1000_foreign: foreign.calls * 1000,
    ...(await taskCosts()),
  };
};

/** What events of ECS tasks cost, from the second event of each task on: the first one claims it. */
const taskCosts = async (): Promise<Figures> => {
  await using dynamoDb = await startTable();
  const client = new DynamoDBClient(clientConfig(dynamoDb.url));
  const units = countCapacity(client);
  let calls = 0;
  const counted = async () => {
    calls += 1;
    return { resources: [], nextToken: undefined };
  };
  const stream = memoryEventStream();
  const handleAll = quietNormaliser({
    resourceStore: dynamoDbResourceStore(DynamoDBDocumentClient.from(client), tableName, kinds),
    publisher: publishEvents(stream),
    types: [
      servedContainers({
        describe: async () => {
          calls += 1;
          return new Map();
        },
        list: counted,
      }),
    ],
  });
  const handle = (group: string, seen: readonly TaskTimes[]) =>
    handleAll(sqsBatches(seen.flatMap((times) => taskIds(group).map((id) => taskBody(id, group, times)))));

  await handle(provider, [{ createdAt: 0 }]);
  const before = units();
  await handle(provider, [
    { createdAt: 0, startedAt: 30 },
    { createdAt: 0, startedAt: 30, stoppedAt: 60 },
  ]);
  const { writes } = units();
  if (stream.stored.length !== instances * 3) throw new Error('Not every status of a task was published.');
  const ownedCalls = calls;
  await handle('another-provider', [{ createdAt: 0 }, { createdAt: 0, startedAt: 30 }]);
  client.destroy();
  return {
    write_units_per_owned_task_event: (writes - before.writes) / (instances * 2),
    ecs_calls_per_1000_owned: (ownedCalls * 1000) / (instances * 3),
    ecs_calls_per_1000_foreign: ((calls - ownedCalls) * 1000) / (instances * 2),
  };
};

/** Seconds after the start of the workload. */
type TaskTimes = { readonly createdAt: number; readonly startedAt?: number; readonly stoppedAt?: number };

/** Each owner has tasks of its own. */
const taskIds = (owner: string) =>
  Array.from(
    { length: instances },
    (_, index) => `${owner === provider ? 1 : 2}${index.toString(16).padStart(31, '0')}`,
  );
const tasksStartAt = Math.floor(Date.now() / 1000) - 3600;

const taskBody = (id: string, owner: string, times: TaskTimes): string => {
  const { createdAt, startedAt = createdAt, stoppedAt = startedAt } = times;
  const wasStopped = times.stoppedAt !== undefined;
  const wasStarted = times.startedAt !== undefined;
  const isoTimes = Object.entries(times).map(([name, seconds]) => [
    name,
    new Date((tasksStartAt + seconds) * 1000).toISOString(),
  ]);
  const status = wasStopped ? 'STOPPED' : wasStarted ? 'RUNNING' : 'PENDING';
  const mark = `${owner}/${id.slice(-8)}`;
  return JSON.stringify({
    ...{ version: '0', id: crypto.randomUUID(), source: 'aws.ecs', 'detail-type': 'ECS Task State Change' },
    ...{ account, region, resources: [], time: new Date((tasksStartAt + stoppedAt) * 1000).toISOString() },
    detail: {
      taskArn: `arn:aws:ecs:${region}:${account}:task/${provider}/${id}`,
      clusterArn: `arn:aws:ecs:${region}:${account}:cluster/${provider}`,
      lastStatus: status,
      desiredStatus: wasStopped ? 'STOPPED' : 'RUNNING',
      startedBy: mark,
      group: `${mark}/a-client-token`,
      ...(wasStopped && { stopCode: 'EssentialContainerExited' }),
      containers: [
        {
          name: 'main',
          networkInterfaces: [{ privateIpv4Address: '10.0.0.7' }],
          ...(wasStopped && { exitCode: 0 }),
        },
      ],
      ...Object.fromEntries(isoTimes),
    },
  });
};

/** The normaliser with its table in DynamoDB, and what each event costs. */
export const meteredNormaliser = (dynamoDbUrl: string, bus?: StatusBus) => {
  const client = new DynamoDBClient(clientConfig(dynamoDbUrl));
  const units = countCapacity(client);
  const ec2 = scriptedInstances();
  const stream = memoryEventStream();
  const held = dynamoDbResourceStore(DynamoDBDocumentClient.from(client), tableName, kinds);
  const handleAll = quietNormaliser({
    resourceStore: held,
    publisher: publishEvents(stream),
    bus,
    types: [servedVms(ec2)],
  });
  const anHourAgo = Math.floor(Date.now() / 1000) - 3600;

  return {
    async claim(all: readonly Subject[]) {
      for (const { instanceId, dcmId } of all)
        await held.claim({
          ...{ resourceId: instanceId, dcmId, region, account, privateAddress: '10.0.0.4' },
          ...{ size: 'm7i-flex.12xlarge', zone: `${region}a` },
        });
    },

    /** For each event. All instances live side by side, and so end together: one that ends alone costs a call to EC2 of its own. */
    async costOfLives(all: readonly Subject[], states: readonly InstanceState[]) {
      const [before, callsBefore] = [units(), ec2.calls.length];
      for (const [step, state] of states.entries()) {
        for (const { instanceId } of all)
          ec2.known.set(instanceId, described({ resourceId: instanceId, state, reason: reasonOf(state) }));
        const at = anHourAgo + step * secondsBetween;
        await handleAll(sqsBatches(all.map((subject) => stateChangeBody({ subject, state, at }))));
      }
      const events = all.length * states.length;
      const { reads, writes } = units();
      return {
        reads: (reads - before.reads) / events,
        writes: (writes - before.writes) / events,
        calls: (ec2.calls.length - callsBefore) / events,
      };
    },

    published: () => stream.stored.length,
    [Symbol.dispose]: () => client.destroy(),
  };
};

/** EC2 tells why an instance ends from `shutting-down` on. */
const reasonOf = (state: InstanceState) =>
  state === 'shutting-down' || state === 'terminated'
    ? {
        code: 'Client.UserInitiatedShutdown',
        message: 'Client.UserInitiatedShutdown: User initiated shutdown',
      }
    : undefined;
