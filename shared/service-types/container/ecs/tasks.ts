import type { DescribeTasksRequest, ECSClient, Task as EcsTask } from '@aws-sdk/client-ecs';
import { type AwsAccounts, homeAccountAlone } from '../../../adapters/aws/accounts.ts';
import { readsByTarget } from '../../../adapters/aws/calls.ts';
import { counted, UnavailableError } from '../../../core/errors.ts';
import type { Target } from '../../../core/target.ts';
import type { ListQuery, Page } from '../../../ports/described-resources.ts';
import { taskEntry } from '../inventory.ts';
import { taskIdOf } from '../kind.ts';
import type { Task, Tasks } from '../ports.ts';
import { describedTask, type Identity, networkInterfaceOf, startedByOf, type TaskSnapshot } from '../task.ts';

type Settings = Identity & {
  /** Name or ARN of the target's ECS cluster; undefined where the target has no containers. */
  readonly clusterOf: (target: Target) => string | undefined;
  /** Whether containers get public addresses. ECS does not show them, so EC2 is asked. */
  readonly publicAddresses: boolean;
  /** @default the home account alone */
  readonly accounts?: AwsAccounts;
};

/** ECS lists, and describes, at most 100 tasks a call. */
const largestPage = 100;

type Cluster = {
  readonly ecs: typeof import('./sdk.ts');
  readonly client: ECSClient;
  readonly name: string;
  readonly abortSignal: AbortSignal;
};

/**
 * ECS by its SDK client. A listing has the tasks that are to run first, and then the stopped ones, which ECS shows for about an hour: the
 * former alone would let a stopped task look as if it were gone. ECS has no filter by tag, and by `startedBy` it lists only tasks that are
 * to run, and only where it is asked for nothing else.
 * @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ListTasks.html
 */
export const ecsTasks = ({
  clusterOf,
  publicAddresses,
  accounts = homeAccountAlone,
  ...identity
}: Settings): Tasks => {
  const read = readsByTarget({
    name: 'ECS',
    load: () => import('./sdk.ts'),
    connect: ({ ECSClient: Client }, connection) => new Client(connection),
    accounts,
  });
  const publicAddressesOf = askPublicAddresses(accounts);

  const ask = <Answer>(asked: Parameters<typeof read>[0], call: (cluster: Cluster) => Promise<Answer>) => {
    const name = clusterOf(asked.target);
    if (name === undefined)
      throw new UnavailableError(`no ECS cluster is configured in ${accounts.nameOf(asked.target)}`);
    return read(asked, (ecs, client, abortSignal) => call({ ecs, client, name, abortSignal }));
  };

  const describeTasks = async (
    { ecs, client, name, abortSignal }: Cluster,
    tasks: readonly string[],
    more: Pick<DescribeTasksRequest, 'include'> = {},
  ): Promise<readonly EcsTask[]> => {
    if (tasks.length === 0) return [];
    const command = new ecs.DescribeTasksCommand({ cluster: name, tasks: [...tasks], ...more });
    return (await client.send(command, { abortSignal })).tasks ?? []; // tasks that ECS does not know are under `failures`
  };

  return {
    describe: (target, resourceIds, timeoutMs) =>
      ask(
        { target, timeoutMs, what: `describe ${counted(resourceIds.length, 'task')}` },
        async (cluster): Promise<ReadonlyMap<string, Task>> => {
          const ids = resourceIds.map(taskIdOf);
          const pages = [ids.slice(0, largestPage), ids.slice(largestPage)];
          const found = (await Promise.all(pages.map((page) => describeTasks(cluster, page))))
            .flat()
            .flatMap(snapshotOf);
          const addresses = publicAddresses
            ? await publicAddressesOf(found.filter(isRunning), { target, timeoutMs })
            : new Map<string, string>();
          return new Map(
            found
              .map((task) => ({
                ...describedTask(task, identity),
                publicAddress: addresses.get(networkInterfaceOf(task) ?? ''),
              }))
              .map((task) => [task.resourceId, task]),
          );
        },
      ),

    list: ({ target, tag, token, timeoutMs, withEntries = false }) =>
      ask({ target, timeoutMs, what: 'list a page of tasks' }, async (cluster): Promise<Page<Task>> => {
        const { ecs, client, name, abortSignal } = cluster;
        const { filter, after, nextOf } = pageOf(tag, token);
        const command = new ecs.ListTasksCommand({
          ...{ cluster: name, maxResults: largestPage, nextToken: after },
          ...filter,
        });
        const { taskArns = [], nextToken } = await client.send(command, { abortSignal });
        const tasks = await describeTasks(cluster, taskArns, withEntries ? { include: ['TAGS'] } : {});
        return {
          resources: tasks.flatMap(snapshotOf).map((task) => describedTask(task, identity)),
          nextToken: nextOf(nextToken || undefined),
          ...(withEntries && { entries: tasks.flatMap((task) => taskEntry(task) ?? []) }),
        };
      }),
  };

  /** One container's tasks by `startedBy` alone; all tasks by their desired status, RUNNING first. */
  function pageOf(tag: ListQuery['tag'], token: string | undefined) {
    if (tag.key === identity.tagKeys.instanceId)
      return {
        filter: { startedBy: startedByOf(identity.provider, tag.value) },
        after: token,
        nextOf: (next: string | undefined) => next,
      };
    const [, word = 'RUNNING', after = ''] = /^(RUNNING|STOPPED):(.*)$/s.exec(token ?? '') ?? [];
    const desiredStatus = word === 'STOPPED' ? ('STOPPED' as const) : ('RUNNING' as const);
    return {
      filter: { desiredStatus },
      after: after || undefined,
      nextOf: (next: string | undefined) => {
        if (next !== undefined) return `${desiredStatus}:${next}`;
        return desiredStatus === 'RUNNING' ? 'STOPPED:' : undefined;
      },
    };
  }
};

const isRunning = ({ lastStatus }: TaskSnapshot): boolean => lastStatus === 'RUNNING';

/** A task of ECS's API in the form that events have too. Tasks without an ARN or a status cannot be read. */
export const snapshotOf = (task: EcsTask): TaskSnapshot[] => {
  const { taskArn, lastStatus } = task;
  if (taskArn === undefined || lastStatus === undefined) return [];
  return [
    {
      taskArn,
      lastStatus,
      desiredStatus: task.desiredStatus,
      startedBy: task.startedBy,
      group: task.group,
      taskDefinitionArn: task.taskDefinitionArn,
      zone: task.availabilityZone,
      cpu: task.cpu,
      memory: task.memory,
      createdAtMs: task.createdAt?.getTime(),
      startedAtMs: task.startedAt?.getTime(),
      stoppingAtMs: task.stoppingAt?.getTime(),
      executionStoppedAtMs: task.executionStoppedAt?.getTime(),
      stoppedAtMs: task.stoppedAt?.getTime(),
      stopCode: task.stopCode,
      stoppedReason: task.stoppedReason,
      containers: task.containers,
      attachments: task.attachments,
    },
  ];
};

/**
 * The public addresses of tasks, by network interface. Asks by a filter, since one unknown id fails a call that names ids. Where EC2 does
 * not answer, none is known: the state of the tasks matters more, and the addresses are asked for again.
 */
const askPublicAddresses = (accounts: AwsAccounts) => {
  const read = readsByTarget({
    name: 'EC2',
    load: () => import('./network-interfaces-sdk.ts'),
    connect: ({ EC2Client }, connection) => new EC2Client(connection),
    accounts,
  });
  return async (
    tasks: readonly TaskSnapshot[],
    asked: { readonly target: Target; readonly timeoutMs: number },
  ): Promise<ReadonlyMap<string, string>> => {
    const ids = tasks.flatMap((task) => networkInterfaceOf(task) ?? []);
    if (ids.length === 0) return new Map();
    const what = `describe ${counted(ids.length, 'network interface')}`;
    const { NetworkInterfaces = [] } = await read({ ...asked, what }, (ec2, client, abortSignal) => {
      const Filters = [{ Name: 'network-interface-id', Values: ids }];
      return client.send(new ec2.DescribeNetworkInterfacesCommand({ Filters }), { abortSignal });
    }).catch(() => ({ NetworkInterfaces: [] }));
    return new Map(
      NetworkInterfaces.flatMap(({ NetworkInterfaceId, Association }) =>
        NetworkInterfaceId !== undefined && Association?.PublicIp
          ? [[NetworkInterfaceId, Association.PublicIp]]
          : [],
      ),
    );
  };
};
