import { setTimeout as pause } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeregisterTaskDefinitionCommand, DescribeTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { publishEvents } from '../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../functions/normaliser/normalise.ts';
import { readMessage } from '../../functions/normaliser/read-message.ts';
import { containerUseCases } from '../../functions/provider-api/service-types/container.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable, startDynamoDb } from '../../local/emulators/dynamodb.ts';
import { noFaults } from '../../local/emulators/ecs/faults.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { randomPart } from '../../shared/adapters/random-part.ts';
import { UnavailableError } from '../../shared/core/errors.ts';
import type { ResourceMessage } from '../../shared/core/message.ts';
import { ecsTaskActions } from '../../shared/service-types/container/ecs/task-actions.ts';
import { ecsTasks } from '../../shared/service-types/container/ecs/tasks.ts';
import { taskStateChange } from '../../shared/service-types/container/events/task-state-change.ts';
import { taskIdOf } from '../../shared/service-types/container/kind.ts';
import { ContainerProvisioning } from '../../shared/service-types/container/provisioning.ts';
import { containerRecords } from '../../shared/service-types/container/record.ts';
import { servedContainers } from '../../shared/service-types/container/served.ts';
import { containerSpecOf } from '../../shared/service-types/container/spec.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { acceptFault, invocationUntil } from '../fakes/faulty.ts';
import { memoryEventStream } from '../fakes/memory-event-stream.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';
import { containerSpec } from '../fixtures/container-spec.ts';
import { tagKeys } from '../fixtures/resource-messages.ts';
import { executionRole, group, startSubject, subnets } from './ecs/subject.ts';

const region = 'us-east-1';
const identity = { provider: 'ec2-sp', tagKeys };
const timeoutMs = 2_000;

const subject = await startSubject();
const { emulator, ecs } = subject;
const dynamoDb = await startDynamoDb();
await createTable(dynamoDb.url, resourceTable('fleet'));
for (const [name, value] of Object.entries({
  AWS_ENDPOINT_URL_ECS: emulator.url,
  AWS_ENDPOINT_URL_EC2: subject.ec2.url,
  AWS_ACCESS_KEY_ID: 'local',
  AWS_SECRET_ACCESS_KEY: 'local',
}))
  vi.stubEnv(name, value);
const table = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(dynamoDb.url)));
afterEach(() => emulator.faults(noFaults));
afterAll(async () => {
  table.destroy();
  vi.unstubAllEnvs();
  for (const part of [subject, dynamoDb]) await part[Symbol.asyncDispose]();
});

const settings = { ...identity, clusterOf: () => 'dcm', publicAddresses: true };
const tasks = ecsTasks(settings);
const log = memoryLog();
const records = dynamoDbRecords(table, 'fleet', containerRecords, log);
const resourceStore = dynamoDbResourceStore(table, 'fleet', kinds);
const queued: EventBridgeEvent[] = [];
const parts = {
  ...{ records, resourceStore, tasks, actions: ecsTaskActions(settings) },
  observations: { send: async (events: readonly EventBridgeEvent[]) => void queued.push(...events) },
  provisioning: ContainerProvisioning.parse({
    regions: {
      [region]: { ecsCluster: 'dcm', subnets, securityGroupIds: [group], logGroup: '/dcm/containers' },
    },
    executionRoleArn: executionRole,
    publicAddresses: true,
    spot: true,
  }),
  ...identity,
  startingAs: 'PENDING' as const,
  now: Date.now,
  pause: (ms: number) => pause(ms),
  log,
};
const useCases = containerUseCases(parts);
const asking = (dcmId: string, changes = {}) => ({
  ...{ dcmId, region, requestId: 'request-1' },
  spec: containerSpecOf(containerSpec(changes)),
});
const create = (dcmId: string, changes = {}) => useCases.create(asking(dcmId, changes));
const tasksOf = (dcmId: string) => emulator.tasks().filter(({ run }) => run.startedBy === `ec2-sp/${dcmId}`);
const resourceIdOf = ({ task_arn: arn = '' }) => `task/${arn.split('/').at(-1)}`;
const taskIn = async (resourceId: string) =>
  (await tasks.describe({ region }, [resourceId], timeoutMs)).get(resourceId);
const reaches = (resourceId: string, word: string) => subject.reaches(taskIdOf(resourceId), word);
const observationsIn = (messages: readonly ResourceMessage[]) =>
  messages.filter((message) => message.kind === 'observation');
const eventsOf = (resourceId: string) =>
  subject.events.filter(({ resources }) => resources[0]?.endsWith(taskIdOf(resourceId)));

/** The normaliser, with its statuses in `stream`. */
const stream = memoryEventStream();
const quiet = { meter: countingMeter(), log, now: Date.now };
const read = readMessage({ ...identity, ...quiet, regions: [region] });
const report = reportStatus({
  ...{ ...identity, ...quiet, resourceStore, randomPart, reporting: { startingAs: 'PENDING' } },
  publisher: publishEvents(stream),
  types: [servedContainers(tasks, records)],
  observations: { send: async () => undefined },
  listings: { requestRepublication: async () => undefined },
  retries: { deadLetter: async () => undefined },
});

/** Delivers to the normaliser what the API has queued, and the events of the task so far. */
const normalise = async (resourceId: string): Promise<void> => {
  const own = queued.splice(0).filter(({ detail }) => detail['instance-id'] === resourceId);
  const messages = [...own, ...eventsOf(resourceId)].map((event, index) => ({
    ...{ messageId: String(index), isRetry: false },
    resourceMessages: read(JSON.stringify(event)),
  }));
  expect([...(await report(messages)).values()]).toEqual([]);
};

const publishedOf = (dcmId: string) =>
  stream.stored.map(({ data }) => Object(data)).filter(({ id }) => id === dcmId);

const listAll = async () => {
  const tag = { key: tagKeys.managedBy, value: 'dcm' };
  const pages: string[][] = [];
  let token: string | undefined;
  do {
    const page = await tasks.list({ target: { region }, tag, token, timeoutMs });
    pages.push(page.resources.map(({ resourceId }) => resourceId));
    token = page.nextToken;
  } while (token !== undefined);
  return pages;
};

const external = { network: { ports: [{ container_port: 80, visibility: 'external' }] } };

describe('containers, by DynamoDB (dynalite) and ECS (emulated)', () => {
  it('are launched once for twenty requests at once, however long they stay PENDING (CC 41)', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => create('twenty')));

    expect(tasksOf('twenty')).toHaveLength(1);
    for (const answer of answers) expect(answer).toEqual(answers[0]);
    expect(answers[0]).toMatchObject({
      ...{ id: 'twenty', path: 'containers/twenty', status: 'PENDING', launch: 'fargate', adopted: false },
      logs: { group: '/dcm/containers', stream: expect.stringMatching(/^ec2-sp\/main\/[0-9a-f]{32}$/) },
      size: { vcpus: 1, memory_mib: 2048 },
    });
  });

  it('share a task definition where their specs are equal, and register another where they differ', async () => {
    const equal = [await create('equal-1', { metadata: { name: 'a' } }), await create('equal-2')];
    const other = await create('other', { process: { args: ['x'] } });

    expect(new Set(equal.map((answer) => answer.task_definition_arn)).size).toBe(1);
    expect(other.task_definition_arn).not.toBe(equal[0]?.task_definition_arn);
  });

  it('are all launched although three requests register one definition at once, and ECS refuses the others', async () => {
    emulator.faults({ failRegistrations: 0.5 });
    const spec = { process: { args: ['at once'] } };

    await Promise.all(['once-1', 'once-2', 'once-3'].map((dcmId) => create(dcmId, spec)));

    for (const dcmId of ['once-1', 'once-2', 'once-3']) expect(tasksOf(dcmId)).toHaveLength(1);
  });

  it('are launched once where the request crashed between RunTask and the write (CC 7)', async () => {
    const crashing = {
      ...parts,
      now: () => Date.now() - 60_000,
      records: {
        ...records,
        launched: async () => {
          throw new UnavailableError('the function crashed');
        },
      },
    };
    await expect(containerUseCases(crashing).create(asking('crashed'))).rejects.toThrow('crashed');
    const later = { ...parts, now: () => Date.now() + 60_000 };
    const again = dynamoDbRecords(table, 'fleet', containerRecords, log, later.now);

    const answer = await containerUseCases({ ...later, records: again }).create(asking('crashed'));

    expect(tasksOf('crashed')).toHaveLength(1);
    expect(answer.task_arn).toBe(tasksOf('crashed')[0]?.arn);
    expect(emulator.calls().ListTasks).toBeGreaterThan(0);
  });

  it('are found by startedBy alone, which ECS allows with no other filter (CC 12)', async () => {
    const { task_arn: arn } = await create('orphan');

    const tag = { key: tagKeys.instanceId, value: 'orphan' };
    const page = await tasks.list({ target: { region }, tag, token: undefined, timeoutMs });

    expect(page).toMatchObject({
      resources: [
        {
          resourceId: resourceIdOf({ ...(arn && { task_arn: arn }) }),
          clientToken: expect.stringMatching(/^[0-9a-f-]{36}$/),
        },
      ],
      nextToken: undefined,
    });
  });

  it('are refused with ECS’s reason where RunTask answers failures and no task (CC 3)', async () => {
    emulator.faults({ vcpuLimit: 0 });

    await expect(create('quota')).rejects.toMatchObject({
      code: 'resource-exhausted',
      message: expect.stringMatching(/limit on the number of vCPUs/i),
    });
    expect(await records.read('quota')).toBeUndefined();
  });

  it('are launched where there is capacity, with another client token, or refused for lack of it (CC 4)', async () => {
    emulator.faults({ noCapacity: [{ capacityProvider: 'FARGATE_SPOT' }] });
    const spot = { provider_hints: { aws: { launch: 'fargate_spot' } } };
    expect(await create('fallback', spot)).toMatchObject({ launch: 'fargate' });
    expect(tasksOf('fallback')).toHaveLength(1);

    emulator.faults({ noCapacity: [{}] });
    const before = emulator.calls().RunTask ?? 0;
    await expect(create('nowhere')).rejects.toMatchObject({ code: 'insufficient-capacity' });
    expect((emulator.calls().RunTask ?? 0) - before).toBe(3);
    expect(tasksOf('nowhere')).toEqual([]);
  });

  it('are refused, and leave nothing half made, where the provider may not tag (CC 19)', async () => {
    emulator.faults({ refuseTags: true });

    await expect(create('untagged')).rejects.toMatchObject({ code: 'permission-denied' });

    expect(tasksOf('untagged')).toEqual([]);
    expect(await records.read('untagged')).toBeUndefined();
  });

  it('are all launched, though slower, while ECS throttles a third of the calls (CC 20)', async () => {
    emulator.faults({ throttle: 0.3 });
    const ids = Array.from({ length: 8 }, (_, index) => `throttled-${index}`);

    await Promise.all(ids.map((dcmId) => create(dcmId)));

    for (const dcmId of ids) expect(tasksOf(dcmId)).toHaveLength(1);
  });

  it('can have the id of a deleted one, although its task definition was deregistered (CC 18)', async () => {
    const spec = { process: { args: ['again'] } };
    const first = await create('again', spec);
    await reaches(resourceIdOf(first), 'RUNNING');
    await normalise(resourceIdOf(first));
    await useCases.delete('again', 'request-2');
    await reaches(resourceIdOf(first), 'STOPPED');
    await normalise(resourceIdOf(first));
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: first.task_definition_arn ?? '' }));

    const second = await create('again', spec);

    expect(second.task_arn).not.toBe(first.task_arn);
    expect(second.task_definition_arn).not.toBe(first.task_definition_arn);
  });
});

describe('a container', () => {
  it('is RUNNING with its service and endpoints, and without a call of ECS', async () => {
    const created = await create('running', external);
    expect(created.service).toMatchObject({ type: 'NodePort', cluster_ip: '' });
    const resourceId = resourceIdOf(created);
    await reaches(resourceId, 'RUNNING');
    await normalise(resourceId);
    const seen = await taskIn(resourceId);

    const running = await useCases.read.get('running');

    expect(running).toMatchObject({
      status: 'RUNNING',
      private_ip_address: seen?.privateAddress,
      public_ip_address: seen?.publicAddress,
      endpoints: [
        { address: seen?.privateAddress, port: 80, scope: 'internal', protocol: 'TCP' },
        { address: seen?.publicAddress, port: 80, scope: 'external', protocol: 'TCP' },
      ],
    });
  });

  it('has a public address that EC2 is asked for while it is RUNNING, and not afterwards (CC 17)', async () => {
    const resourceId = resourceIdOf(await create('public'));
    await reaches(resourceId, 'RUNNING');
    const before = subject.ec2.calls().DescribeNetworkInterfaces ?? 0;
    expect((await taskIn(resourceId))?.publicAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(subject.ec2.calls().DescribeNetworkInterfaces).toBe(before + 1);

    await ecs.send(new StopTaskCommand({ cluster: 'dcm', task: taskIdOf(resourceId) }));
    await reaches(resourceId, 'STOPPED');

    expect((await taskIn(resourceId))?.publicAddress).toBeUndefined();
    expect(subject.ec2.calls().DescribeNetworkInterfaces).toBe(before + 1);
  });

  it('is stopped when it is deleted, and its end is announced to the normaliser', async () => {
    const resourceId = resourceIdOf(await create('deleted'));
    await reaches(resourceId, 'RUNNING');
    await normalise(resourceId);
    queued.length = 0;

    await useCases.delete('deleted', 'request-2');

    expect(queued.map(({ detail }) => detail)).toMatchObject([
      { 'instance-id': resourceId, state: 'STOPPING' },
    ]);
    await normalise(resourceId);
    await reaches(resourceId, 'STOPPED');
    await normalise(resourceId);
    const statuses = publishedOf('deleted').map(({ status }) => status); // RUNNING twice: a create has it republished
    expect([...new Set(statuses)]).toEqual(['PENDING', 'RUNNING', 'DELETING', 'DELETED']);
  });

  it('that ended long ago, and that ECS has forgotten, is DELETED at the request, without a call of ECS (CC 11)', async () => {
    const resourceId = resourceIdOf(await create('ended', { process: { command: ['true'] } }));
    await reaches(resourceId, 'STOPPED');
    await normalise(resourceId);
    expect((await useCases.read.get('ended')).status).toBe('SUCCEEDED');
    queued.length = 0;
    emulator.faults({ refuse: { StopTask: 'ServerException', DescribeTasks: 'ServerException' } });
    const before = { ...emulator.calls() };

    await useCases.delete('ended', 'request-2');

    expect(emulator.calls()).toEqual(before);
    expect(queued.map(({ detail }) => detail)).toMatchObject([
      { 'instance-id': resourceId, state: 'DELETED' },
    ]);
  });

  it('ends in DELETED without another delete, at whichever step of it the function was stopped (CC 33)', async () => {
    const ended: string[] = [];
    for (let point = 1; ; point++) {
      const dcmId = `stopped-at-${point}`;
      const resourceId = resourceIdOf(await create(dcmId));
      await reaches(resourceId, 'RUNNING');
      await normalise(resourceId);
      const { until, hasCrashed } = invocationUntil(point);
      const mortal = containerUseCases({
        ...parts,
        records: until(records),
        resourceStore: until(resourceStore),
        tasks: until(tasks),
        actions: until(parts.actions),
        observations: until(parts.observations),
      });
      await mortal.delete(dcmId, 'request-2').catch(acceptFault);
      if (!hasCrashed()) break;
      if ((await records.read(dcmId))?.deleteRequestedAtMs === undefined) continue; // stopped before it was recorded
      queued.length = 0; // every message is lost

      const minuteLater = { ...parts, now: () => Date.now() + 60_000 };
      const { deletions } = containerUseCases(minuteLater);
      expect(await deletions.requested({ region }, minuteLater.now())).toContain(dcmId);
      await deletions.complete(dcmId, 'schedule-1');
      await reaches(resourceId, 'STOPPED');
      await normalise(resourceId);
      await deletions.complete(dcmId, 'schedule-2');

      expect(publishedOf(dcmId).at(-1)).toMatchObject({ status: 'DELETED' });
      expect(await deletions.requested({ region }, minuteLater.now())).not.toContain(dcmId);
      ended.push(dcmId);
    }
    expect(ended.length).toBeGreaterThan(8);
  }, 120_000);

  it('that ended, and whose deletion could not be announced, is announced by the next request', async () => {
    const resourceId = resourceIdOf(await create('unannounced', { process: { command: ['false'] } }));
    await reaches(resourceId, 'STOPPED');
    await normalise(resourceId);
    const withoutQueue = containerUseCases({
      ...parts,
      observations: {
        send: async () => {
          throw new UnavailableError('the queue does not answer');
        },
      },
    });

    await expect(withoutQueue.delete('unannounced', 'request-2')).rejects.toThrow('does not answer');
    await useCases.delete('unannounced', 'request-3');
    await normalise(resourceId);

    expect(publishedOf('unannounced').at(-1)).toMatchObject({ status: 'DELETED' });
  });

  it('whose task ECS does not show yet is not taken for deleted (CC 6)', async () => {
    await using slow = await startSubject({ dwellMs: { missing: 5_000 } });
    vi.stubEnv('AWS_ENDPOINT_URL_ECS', slow.emulator.url);
    const fresh = containerUseCases({
      ...parts,
      tasks: ecsTasks(settings),
      actions: ecsTaskActions(settings),
    });
    const created = await fresh.create(asking('missing'));
    vi.stubEnv('AWS_ENDPOINT_URL_ECS', emulator.url);
    const { failures } = await slow.ecs.send(
      new DescribeTasksCommand({ cluster: 'dcm', tasks: [created.task_arn ?? ''] }),
    );
    expect(failures).toMatchObject([{ reason: 'MISSING' }]);

    const blind = containerUseCases({
      ...parts,
      actions: { ...parts.actions, stop: async () => undefined }, // ECS does not find the task
      tasks: { ...tasks, describe: async () => new Map() },
    });
    await expect(blind.delete('missing', 'request-2')).rejects.toMatchObject({ code: 'unavailable' });
    await fresh.delete('missing', 'request-3');

    expect(slow.emulator.tasks()).toMatchObject([{ desiredStatus: 'STOPPED' }]);
    expect(await fresh.read.get('missing')).toMatchObject({ status: 'DELETING' });
  });

  it('is adopted where its task has our marks and another client token, and not stopped', async () => {
    const marks = { startedBy: 'ec2-sp/adopted', group: 'ec2-sp/adopted/not-ours' };
    const resourceId = `task/${(await subject.run({}, marks)).split('/').at(-1)}`;
    const seen = await taskIn(resourceId);
    await records.adopt({
      ...{ dcmId: 'adopted', region, resourceId, account: '123456789012', adopted: true },
      facts: { launchedAtMs: seen?.launchedAtMs ?? 0 },
    });

    await expect(useCases.delete('adopted', 'request-2')).rejects.toMatchObject({
      code: 'failed-precondition',
      message: expect.stringContaining('containers.changeAdopted'),
    });
    expect(tasksOf('adopted')[0]?.desiredStatus).toBe('RUNNING');
  });
});

describe('a listing of ECS', () => {
  it('has the tasks that are starting and running, and then the stopped ones (CC 10, CC 13)', async () => {
    const stopped = resourceIdOf(await create('listed-stopped', { process: { command: ['false'] } }));
    await reaches(stopped, 'STOPPED');
    emulator.scaleDwell(1_000);
    const starting = resourceIdOf(await create('listed-starting'));
    emulator.scaleDwell(1);

    const pages = await listAll();

    const [first = [], last = []] = [pages[0], pages.at(-1)];
    expect(first).toContain(starting);
    expect(first).not.toContain(stopped);
    expect(last).toContain(stopped);
  });
});

describe('an event of a task', () => {
  it('says the same as DescribeTasks, though it has other formats (CC 2)', async () => {
    const resourceId = resourceIdOf(await create('compared', { process: { command: ['exit', '3'] } }));
    await reaches(resourceId, 'STOPPED');
    await vi.waitFor(() =>
      expect(eventsOf(resourceId).at(-1)?.detail).toMatchObject({ lastStatus: 'STOPPED' }),
    );
    const event = eventsOf(resourceId).at(-1) ?? expect.fail();

    const messages = taskStateChange.toMessages(event, identity);
    const described = await taskIn(resourceId);

    expect(observationsIn(messages).map(({ state, at }) => ({ state, at }))).toEqual(described?.stateTimes);
    expect(observationsIn(messages).at(-1)).toMatchObject({
      resourceId,
      reason: described?.reason,
      privateAddress: described?.privateAddress,
    });
    expect(messages[0]).toMatchObject({
      kind: 'tag-change',
      tags: described?.tags,
      clientToken: described?.clientToken,
    });
    expect(described?.reason).toEqual({
      code: 'ExitCode:3',
      message: expect.stringContaining('exit code 3'),
    });
  });
});
