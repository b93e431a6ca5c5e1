import { randomUUID } from 'node:crypto';
import { DescribeNetworkInterfacesCommand } from '@aws-sdk/client-ec2';
import {
  ConflictException,
  CreateClusterCommand,
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  paginateListTasks,
  RunTaskCommand,
  type RunTaskCommandInput,
  TagResourceCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { ecsLimits } from '../../local/emulators/ecs/limits.ts';
import { executionRole, group, refusal, startSubject, subnets } from './ecs/subject.ts';

const unknownTask = '0123456789abcdef0123456789abcdef';
const minuteMs = 60_000;

describe('ECS emulator, clusters', () => {
  it('creates a cluster once, and describes it with its tasks counted', async () => {
    await using subject = await startSubject();
    const { ecs } = subject;
    await ecs.send(new CreateClusterCommand({ clusterName: 'other', tags: [{ key: 'a', value: '1' }] }));
    await ecs.send(new CreateClusterCommand({ clusterName: 'other' }));
    await subject.reaches(await subject.run(), 'RUNNING');

    const { clusters, failures } = await ecs.send(
      new DescribeClustersCommand({ clusters: ['dcm', 'other', 'none'], include: ['TAGS'] }),
    );

    expect(clusters).toMatchObject([
      { clusterName: 'dcm', status: 'ACTIVE', runningTasksCount: 1, pendingTasksCount: 0 },
      { clusterName: 'other', tags: [{ key: 'a', value: '1' }], runningTasksCount: 0 },
    ]);
    expect(failures).toEqual([{ arn: 'arn:aws:ecs:us-east-1:123456789012:cluster/none', reason: 'MISSING' }]);
  });

  it('refuses to run a task on a cluster that does not exist', async () => {
    await using subject = await startSubject();
    const definition = await subject.register();

    const error = await refusal(subject.runTask(definition, { cluster: 'none' }));

    expect(error.name).toBe('ClusterNotFoundException');
  });
});

describe('ECS emulator, task definitions', () => {
  it('numbers the revisions of a family, and lists the active ones', async () => {
    await using subject = await startSubject();
    const { ecs, register } = subject;
    const [first, second] = [
      await register({}, { family: 'web' }),
      await register({}, { family: 'web', tags: [{ key: 'a', value: '1' }] }),
    ];
    await register({}, { family: 'web-2' });

    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: first }));

    const list = async (status?: 'INACTIVE') => {
      const input = { familyPrefix: 'web', ...(status && { status }) };
      return (await ecs.send(new ListTaskDefinitionsCommand(input))).taskDefinitionArns;
    };
    const described = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: 'web', include: ['TAGS'] }),
    );
    expect([await list(), await list('INACTIVE')]).toEqual([[second], [first]]);
    expect(described.tags).toEqual([{ key: 'a', value: '1' }]);
    expect(described.taskDefinition).toMatchObject({
      taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web:2',
      status: 'ACTIVE',
      revision: 2,
      ...{ cpu: '256', memory: '512', networkMode: 'awsvpc' },
    });
    expect(Math.abs(Date.now() - Number(described.taskDefinition?.registeredAt))).toBeLessThan(minuteMs);
  });

  it('lists task definitions by pages', async () => {
    await using subject = await startSubject();
    const { ecs, register } = subject;
    const arns = [];
    for (let revision = 1; revision <= 5; revision += 1) arns.push(await register({}, { family: 'web' }));

    const first = await ecs.send(new ListTaskDefinitionsCommand({ familyPrefix: 'web', maxResults: 3 }));
    const second = await ecs.send(
      new ListTaskDefinitionsCommand({ familyPrefix: 'web', maxResults: 3, nextToken: first.nextToken }),
    );

    expect([first.taskDefinitionArns, second.taskDefinitionArns]).toEqual([arns.slice(0, 3), arns.slice(3)]);
    expect(second.nextToken).toBeUndefined();
  });

  it('runs no inactive revision, and describes it still', async () => {
    await using subject = await startSubject();
    const { ecs, register, runTask } = subject;
    const taskDefinition = await register();
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));

    const error = await refusal(runTask(taskDefinition));

    const described = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    expect(error).toMatchObject({
      name: 'InvalidParameterException',
      message: 'TaskDefinition is inactive',
    });
    expect(described.taskDefinition?.status).toBe('INACTIVE');
  });

  it.each([
    ...['256 512', '256 2048', '512 4096', '1024 2048', '4096 30720', '8192 61440', '16384 122880'],
    ...['.5 vcpu 1GB', '1 vCPU 2 GB'],
  ])('has the Fargate size %s', async (size) => {
    await using subject = await startSubject();
    const [, cpu = '', memory = ''] = /^(.+?) (\d+ ?(?:GB)?)$/.exec(size) ?? [];

    await expect(subject.register({}, { cpu, memory })).resolves.toMatch(/:1$/);
  });

  it.each(['256 4096', '256 768', '512 512', '1024 1024', '300 512', '8192 18432', '16384 131072'])(
    'has no Fargate size %s',
    async (size) => {
      await using subject = await startSubject();
      const [cpu = '', memory = ''] = size.split(' ');

      const error = await refusal(subject.register({}, { cpu, memory }));

      expect(error).toMatchObject({
        name: 'ClientException',
        message: `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory.`,
      });
    },
  );

  const logs = (options: Record<string, string>) => ({
    ...{ name: 'main', image: 'nginx:alpine' },
    logConfiguration: { logDriver: 'awslogs' as const, options },
  });
  const allOptions = {
    ...{ 'awslogs-group': 'dcm', 'awslogs-region': 'us-east-1', 'awslogs-stream-prefix': 'dcm' },
  };

  it.each([
    { name: 'another network mode', definition: { networkMode: 'bridge' as const }, says: 'awsvpc' },
    { name: 'no size', definition: { cpu: undefined }, says: "'cpu'" },
    {
      name: 'awslogs without an execution role',
      definition: { containerDefinitions: [logs(allOptions)] },
      says: 'execution role ARN',
    },
    {
      name: 'awslogs without a stream prefix',
      definition: {
        executionRoleArn: executionRole,
        containerDefinitions: [logs({ 'awslogs-group': 'dcm', 'awslogs-region': 'us-east-1' })],
      },
      says: 'awslogs-stream-prefix',
    },
    {
      name: 'a stop timeout above two minutes',
      definition: { containerDefinitions: [{ name: 'main', image: 'nginx', stopTimeout: 121 }] },
      says: 'from 2 to 120 seconds',
    },
    {
      name: 'a container larger than its task',
      definition: { containerDefinitions: [{ name: 'main', image: 'nginx', memory: 1024 }] },
      says: 'larger than the memory of the task',
    },
    {
      name: 'another host port',
      definition: {
        containerDefinitions: [
          { name: 'main', image: 'nginx', portMappings: [{ containerPort: 80, hostPort: 8080 }] },
        ],
      },
      says: 'must match',
    },
    {
      name: 'no essential container',
      definition: { containerDefinitions: [{ name: 'main', image: 'nginx', essential: false }] },
      says: 'at least one essential container',
    },
    { name: 'a role that is no ARN', definition: { taskRoleArn: 'admin' }, says: 'Role is not valid' },
  ])('refuses $name', async ({ definition, says }) => {
    await using subject = await startSubject();

    const error = await refusal(subject.register({}, definition));

    expect(error.name).toBe('ClientException');
    expect(error.message).toContain(says);
  });

  it('takes awslogs with its options and an execution role', async () => {
    await using subject = await startSubject();
    const definition = { executionRoleArn: executionRole, containerDefinitions: [logs(allOptions)] };

    await expect(subject.register({}, definition)).resolves.toMatch(/:1$/);
  });
});

describe('ECS emulator, RunTask', () => {
  it('answers while the task is PROVISIONING, and shows what it was asked for', async () => {
    await using subject = await startSubject();
    const tags = [{ key: 'managed-by', value: 'dcm' }];

    const task = await subject.runTask(await subject.register(), {
      ...{ startedBy: 'ec2-sp/web-1', group: 'ec2-sp/web-1/token', tags, enableECSManagedTags: true },
    });

    expect(task).toMatchObject({
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      version: 1,
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/dcm',
      ...{ startedBy: 'ec2-sp/web-1', group: 'ec2-sp/web-1/token' },
      tags: [...tags, { key: 'aws:ecs:clusterName', value: 'dcm' }],
      attachments: [{ type: 'ElasticNetworkInterface', status: 'PRECREATED' }],
      containers: [{ name: 'main', image: 'nginx:alpine', lastStatus: 'PENDING', networkInterfaces: [] }],
    });
    expect(task.taskArn).toMatch(/^arn:aws:ecs:us-east-1:123456789012:task\/dcm\/[0-9a-f]{32}$/);
    expect(Math.abs(Date.now() - Number(task.createdAt))).toBeLessThan(minuteMs);
  });

  it('runs the same task once for one client token', async () => {
    await using subject = await startSubject();
    const input = { clientToken: randomUUID(), startedBy: 'ec2-sp/web-1' };
    const definition = await subject.register();

    const [first, second] = [
      await subject.runTask(definition, input),
      await subject.runTask(definition, input),
    ];

    expect(second.taskArn).toBe(first.taskArn);
    expect(subject.emulator.tasks()).toHaveLength(1);
  });

  it('answers a repeated client token although the task definition is inactive by then', async () => {
    await using subject = await startSubject();
    const input = { clientToken: randomUUID() };
    const taskDefinition = await subject.register();
    const { taskArn } = await subject.runTask(taskDefinition, input);

    await subject.ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition }));

    expect((await subject.runTask(taskDefinition, input)).taskArn).toBe(taskArn);
  });

  it('refuses a client token with other parameters, and names the task that has it', async () => {
    await using subject = await startSubject();
    const clientToken = randomUUID();
    const definition = await subject.register();
    const { taskArn = '' } = await subject.runTask(definition, { clientToken });

    const error = await refusal(subject.runTask(definition, { clientToken, startedBy: 'ec2-sp/other' }));

    expect(error).toBeInstanceOf(ConflictException);
    expect(error).toMatchObject({ resourceIds: [taskArn] });
  });

  it('remembers a client token for each cluster, for a day', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using subject = await startSubject({ clock: () => now, clusters: ['dcm', 'other'] });
    const clientToken = randomUUID();
    const definition = await subject.register();
    const arn = async (cluster = 'dcm') =>
      (await subject.runTask(definition, { clientToken, cluster })).taskArn;
    const first = await arn();

    const other = await arn('other');
    now += ecsLimits.clientTokenMs - 1;
    const sameDay = await arn();
    now += 1;
    const nextDay = await arn();

    expect(sameDay).toBe(first);
    expect(new Set([first, other, nextDay]).size).toBe(3);
  });

  it('answers 200 with failures where there is no capacity, in the zones that were asked for', async () => {
    await using subject = await startSubject({ faults: { noCapacity: [{ zone: 'us-east-1a' }] } });
    const { ecs, register, runInput, runTask } = subject;
    const definition = await register();
    const inFirstZone = {
      networkConfiguration: { awsvpcConfiguration: { subnets: subnets.slice(0, 1) } },
    };

    const refused = await ecs.send(new RunTaskCommand(runInput(definition, inFirstZone)));
    const elsewhere = await runTask(definition);

    expect(refused.tasks).toEqual([]);
    expect(refused.failures?.[0]?.reason).toContain('Capacity is unavailable at this time');
    expect(elsewhere.availabilityZone).toBe('us-east-1b');
  });

  it('runs as many tasks as the vCPU limit allows, spot tasks aside', async () => {
    await using subject = await startSubject({ faults: { vcpuLimit: 0.5 } });
    const { ecs, register, runInput, runTask } = subject;
    const definition = await register();

    const { tasks, failures } = await ecs.send(new RunTaskCommand(runInput(definition, { count: 3 })));
    const spot = await runTask(definition, {
      capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
    });

    expect(tasks).toHaveLength(2);
    expect(failures?.map(({ reason }) => reason)).toEqual([
      "You've reached the limit on the number of vCPUs you can run concurrently",
    ]);
    expect(spot).toMatchObject({ launchType: 'FARGATE', capacityProviderName: 'FARGATE_SPOT' });
  });

  const refused: { name: string; input: Partial<RunTaskCommandInput>; code?: string }[] = [
    { name: 'more than ten tasks', input: { count: 11 } },
    { name: 'a startedBy with a dot', input: { startedBy: 'ec2.sp/web-1' } },
    { name: 'a startedBy of 129 characters', input: { startedBy: 'a'.repeat(129) } },
    { name: 'a group of a family', input: { group: 'family:web' } },
    { name: 'a group of a service', input: { group: 'service:web' } },
    { name: 'a client token of 65 characters', input: { clientToken: 'a'.repeat(65) } },
    { name: 'a launch type other than Fargate', input: { launchType: 'EC2' } },
    {
      name: 'a launch type and a capacity provider',
      input: { launchType: 'FARGATE', capacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] },
    },
    {
      name: 'an unknown capacity provider',
      input: { capacityProviderStrategy: [{ capacityProvider: 'own' }] },
    },
    { name: 'no network', input: { networkConfiguration: undefined } },
    {
      name: 'an unknown subnet',
      input: { networkConfiguration: { awsvpcConfiguration: { subnets: ['subnet-0'] } } },
    },
    {
      name: 'a security group of another VPC',
      input: {
        networkConfiguration: { awsvpcConfiguration: { subnets, securityGroups: ['sg-0b2c3d4e5f6071829'] } },
      },
    },
    { name: 'a tag key of AWS', input: { tags: [{ key: 'aws:x', value: '1' }] } },
    {
      name: '51 tags',
      input: { tags: Array.from({ length: 51 }, (_, n) => ({ key: `k${n}`, value: '' })) },
    },
    {
      name: 'an override of another container',
      input: { overrides: { containerOverrides: [{ name: 'x' }] } },
    },
    { name: 'an unknown task definition', input: { taskDefinition: 'none:1' } },
    {
      name: 'an unknown platform version',
      input: { platformVersion: '9.0.0' },
      code: 'PlatformUnknownException',
    },
  ];
  it.each(refused)('refuses $name', async ({ input, code = 'InvalidParameterException' }) => {
    await using subject = await startSubject();

    const error = await refusal(subject.runTask(await subject.register(), input));

    expect(error.name).toBe(code);
    expect(subject.emulator.tasks()).toEqual([]);
  });

  it('replaces the command of a container by an override', async () => {
    await using subject = await startSubject();

    const task = await subject.run(
      { entryPoint: ['sh', '-c'], command: ['sleep 600'] },
      { overrides: { containerOverrides: [{ name: 'main', command: ['exit 3'] }] } },
    );

    expect((await subject.reaches(task, 'STOPPED')).containers?.[0]?.exitCode).toBe(3);
  });

  it('is not found by read operations right after it was run', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using subject = await startSubject({ clock: () => now, dwellMs: { missing: 1000 } });
    const { ecs, described } = subject;
    const task = await subject.run();

    const missing = await ecs.send(new DescribeTasksCommand({ cluster: 'dcm', tasks: [task] }));
    const unlisted = await ecs.send(new ListTasksCommand({ cluster: 'dcm' }));
    now += 1000;

    expect(missing.failures).toEqual([{ arn: task, reason: 'MISSING' }]);
    expect(unlisted.taskArns).toEqual([]);
    expect((await described(task))?.taskArn).toBe(task);
  });
});

describe('ECS emulator, listing and describing', () => {
  it('lists a hundred tasks a page, each once, although others stop between two pages', async () => {
    await using subject = await startSubject();
    const { ecs, emulator } = subject;
    const arns = emulator.populate({
      ...{ region: 'us-east-1', cluster: 'dcm', count: 250, subnetId: subnets[0] ?? '' },
      task: (index) => ({ startedBy: `ec2-sp/c-${index}`, group: `ec2-sp/c-${index}`, tags: {} }),
    });

    const pages: string[][] = [];
    for await (const { taskArns = [] } of paginateListTasks({ client: ecs }, { cluster: 'dcm' })) {
      pages.push(taskArns);
      await subject.stop(taskArns.at(-1) ?? '');
    }

    expect(pages.map(({ length }) => length)).toEqual([100, 100, 50]);
    expect(pages.flat()).toEqual(arns);
  });

  it('lists a task while it runs, and apart once it is to stop', async () => {
    await using subject = await startSubject();
    const { ecs } = subject;
    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');
    const list = async (desiredStatus?: 'PENDING' | 'STOPPED') => {
      const input = { cluster: 'dcm', ...(desiredStatus && { desiredStatus }) };
      return (await ecs.send(new ListTasksCommand(input))).taskArns;
    };

    const running = [await list(), await list('PENDING'), await list('STOPPED')];
    await subject.stop(task);

    expect(running).toEqual([[task], [], []]);
    expect([await list(), await list('PENDING'), await list('STOPPED')]).toEqual([[], [], [task]]);
  });

  it('lists by startedBy alone', async () => {
    await using subject = await startSubject();
    const { ecs } = subject;
    const task = await subject.run({}, { startedBy: 'ec2-sp/web-1' });
    await subject.run({}, { startedBy: 'ec2-sp/web-11' });
    const input = { cluster: 'dcm', startedBy: 'ec2-sp/web-1' };

    const listed = await ecs.send(new ListTasksCommand(input));
    const error = await refusal(ecs.send(new ListTasksCommand({ ...input, desiredStatus: 'RUNNING' })));

    expect(listed.taskArns).toEqual([task]);
    expect(error.name).toBe('InvalidParameterException');
  });

  it('lists by family', async () => {
    await using subject = await startSubject();
    const { ecs } = subject;
    await subject.run();
    const { taskArn } = await subject.runTask(await subject.register({}, { family: 'web' }));

    const listed = await ecs.send(new ListTasksCommand({ cluster: 'dcm', family: 'web' }));

    expect(listed.taskArns).toEqual([taskArn]);
  });

  it('describes by id and by ARN, and answers what it does not know under failures', async () => {
    await using subject = await startSubject();
    const task = await subject.run({}, { tags: [{ key: 'a', value: '1' }] });
    const id = task.split('/').at(-1) ?? '';
    const tasks = [id, unknownTask];

    const { tasks: described, failures } = await subject.ecs.send(
      new DescribeTasksCommand({ cluster: 'dcm', tasks }),
    );

    expect(described?.map(({ taskArn }) => taskArn)).toEqual([task]);
    expect(described?.[0]?.tags).toEqual([]);
    expect(failures).toEqual([
      { arn: `arn:aws:ecs:us-east-1:123456789012:task/dcm/${unknownTask}`, reason: 'MISSING' },
    ]);
  });

  it.each([
    { name: 'no task', tasks: [] },
    { name: '101 tasks', tasks: Array.from({ length: 101 }, () => unknownTask) },
    { name: 'a malformed id', tasks: ['web-1'] },
  ])('refuses to describe $name', async ({ tasks }) => {
    await using subject = await startSubject();

    const error = await refusal(subject.ecs.send(new DescribeTasksCommand({ cluster: 'dcm', tasks })));

    expect(error.name).toBe('InvalidParameterException');
  });

  it('forgets a task an hour after it stopped', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using subject = await startSubject({ clock: () => now });
    const { described, ecs } = subject;
    const task = await subject.run({ entryPoint: ['true'] });
    await subject.reaches(task, 'STOPPED');

    now += ecsLimits.stoppedTaskMs;
    const remembered = await described(task);
    now += 1;

    const listed = await ecs.send(new ListTasksCommand({ cluster: 'dcm', desiredStatus: 'STOPPED' }));
    expect(remembered?.containers?.[0]?.exitCode).toBe(0);
    expect(await described(task)).toBeUndefined();
    expect(listed.taskArns).toEqual([]);
  });

  it('has regions that do not share tasks', async () => {
    await using subject = await startSubject();
    const { emulator } = subject;
    await subject.run();
    const count = 2;
    const task = () => ({ startedBy: 'a', group: 'a', tags: {} });

    const elsewhere = emulator.populate({
      ...{ region: 'eu-west-1', cluster: 'dcm', count, subnetId: subnets[0] ?? '', task },
    });

    expect(elsewhere.every((arn) => arn.startsWith('arn:aws:ecs:eu-west-1:'))).toBe(true);
    const { taskArns } = await subject.ecs.send(new ListTasksCommand({ cluster: 'dcm' }));
    expect(taskArns).toHaveLength(1);
  });
});

describe('ECS emulator, stopping and tagging', () => {
  it('stops a task with the reason of the caller, and takes its tags away', async () => {
    await using subject = await startSubject();
    const task = await subject.run({}, { tags: [{ key: 'a', value: '1' }] });
    await subject.reaches(task, 'RUNNING');

    const answer = await subject.stop(task, 'deleted by DCM');

    expect(answer.task).toMatchObject({
      ...{ desiredStatus: 'STOPPED', lastStatus: 'RUNNING', tags: [] },
      ...{ stopCode: 'UserInitiated', stoppedReason: 'deleted by DCM' },
    });
    expect((await subject.reaches(task, 'STOPPED')).tags).toEqual([]);
  });

  it('leaves a stopped task as it is', async () => {
    await using subject = await startSubject();
    const task = await subject.run({ entryPoint: ['false'] });
    const stopped = await subject.reaches(task, 'STOPPED');

    const again = await subject.stop(task, 'again');

    const { version, stopCode, stoppedAt } = stopped;
    expect(again.task).toMatchObject({ version, stopCode, stoppedAt });
    expect(stopCode).toBe('EssentialContainerExited');
  });

  it('refuses to stop a task that it does not know', async () => {
    await using subject = await startSubject();

    expect(await refusal(subject.stop(unknownTask))).toMatchObject({
      name: 'InvalidParameterException',
      message: 'The referenced task was not found.',
    });
  });

  it('tags a running task, and refuses to tag one that is to stop', async () => {
    await using subject = await startSubject();
    const { ecs, described } = subject;
    const resourceArn = await subject.run({}, { tags: [{ key: 'a', value: '1' }] });
    await subject.reaches(resourceArn, 'RUNNING');
    const tag = (value: string) =>
      ecs.send(new TagResourceCommand({ resourceArn, tags: [{ key: 'b', value }] }));

    await tag('2');
    const tagged = await described(resourceArn);
    await subject.stop(resourceArn);

    expect(tagged?.tags).toEqual([
      { key: 'a', value: '1' },
      { key: 'b', value: '2' },
    ]);
    expect((await refusal(tag('3'))).message).toContain('The specified task is stopped');
  });
});

describe('ECS emulator, the network interface of a task', () => {
  it('has its private address from ACTIVATING on, and its public address only in EC2', async () => {
    await using subject = await startSubject();
    const { ec2Client, transitions } = subject;
    const network = { subnets, securityGroups: [group], assignPublicIp: 'ENABLED' as const };
    const task = await subject.run({}, { networkConfiguration: { awsvpcConfiguration: network } });

    const running = await subject.reaches(task, 'RUNNING');
    const shown = running.attachments?.[0]?.details ?? [];
    const eni = shown.find(({ name }) => name === 'networkInterfaceId')?.value ?? '';
    const { NetworkInterfaces } = await ec2Client.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [eni] }),
    );

    const privateIp = running.containers?.[0]?.networkInterfaces?.[0]?.privateIpv4Address;
    expect(privateIp).toMatch(/^172\.31\.\d+\.\d+$/);
    expect(NetworkInterfaces).toMatchObject([
      {
        PrivateIpAddress: privateIp,
        Association: { PublicIp: expect.stringMatching(/^198\.18\./) },
        SubnetId: subnets[0],
        Groups: [{ GroupId: group }],
      },
    ]);
    expect(JSON.stringify(running)).not.toContain('198.18.');
    const addresses = subject.events.map(({ detail }) =>
      JSON.stringify(detail.containers).includes('172.31'),
    );
    expect(addresses.indexOf(true)).toBe(
      transitions.findIndex(({ lastStatus }) => lastStatus === 'ACTIVATING'),
    );
  });

  it('has no public address unless it is asked for, and none at all once the task has stopped', async () => {
    await using subject = await startSubject();
    const { ec2Client } = subject;
    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');
    const interfaces = async () =>
      (await ec2Client.send(new DescribeNetworkInterfacesCommand())).NetworkInterfaces ?? [];

    const before = await interfaces();
    await subject.stop(task);
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(before).toHaveLength(1);
    expect(before[0]?.Association).toBeUndefined();
    expect(await interfaces()).toEqual([]);
    expect(stopped.attachments?.[0]?.status).toBe('DELETED');
  });

  it('gives a network interface that EC2 does not know as not found', async () => {
    await using subject = await startSubject();
    const command = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: ['eni-0123456789abcdef0'] });

    await expect(subject.ec2Client.send(command)).rejects.toMatchObject({
      name: 'InvalidNetworkInterfaceID.NotFound',
    });
  });
});
