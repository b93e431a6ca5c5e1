import * as z from 'zod/mini';
import type { Account, Checks, Found } from './account.ts';
import { dryRunResource, eventsOf } from './events.ts';

const assumed = {
  group: "RunTask's `group` is in every event of the task",
  missing: 'StopTask finds a task that DescribeTasks still reports as MISSING',
  seconds: 'a container on Fargate is RUNNING within 20 to 60 s',
  registering: 'RegisterTaskDefinition takes about one call a second',
  quota: 'a new account may have a quota of 6 vCPUs or less for on-demand tasks',
} as const;

const { quota, ...ofTasks } = assumed;

const Tasks = z.object({
  tasks: z.array(z.object({ taskArn: z.string(), lastStatus: z.optional(z.string()) })),
  failures: z._default(z.array(z.object({ reason: z.optional(z.string()) })), []),
});

const sample = { tasks: [{ taskArn: dryRunResource }] };

/** The quota of Fargate, a row of its own in docs/unverified.md. */
export const fargate: Checks = {
  ...{ service: 'Fargate', makes: 'nothing', dollars: 0, minutes: 1, assumptions: [quota] },
  run: async ({ ask }, found) => {
    const { Quotas } = await ask(
      ['service-quotas', 'list-service-quotas', '--service-code', 'fargate'],
      z.object({ Quotas: z.array(z.object({ QuotaName: z.string(), Value: z.number() })) }),
      { Quotas: [] },
    );
    const one = Quotas.find(({ QuotaName }) => /On-Demand vCPU/i.test(QuotaName));
    if (one === undefined) found(quota, 'Service Quotas does not have it', 'not seen');
    else found(quota, `${one.Value} vCPUs in this account`, 'as assumed');
  },
};

/** What ADR 52 relies on. */
export const ecs: Checks = {
  service: 'ECS',
  makes:
    'two tasks of a quarter vCPU on Fargate for some minutes, with public addresses, their ECS cluster and ten task definitions',
  dollars: 0.01,
  minutes: 6,
  assumptions: Object.values(ofTasks),
  run: async (account, found) => {
    const { ask, tell, until, toRemove, persist, name, seconds } = account;
    const subnets = await defaultSubnets(account);
    toRemove(`ECS cluster ${name}`, async () => {
      const { taskArns } = await ask(
        ['ecs', 'list-tasks', '--cluster', name],
        z.object({ taskArns: z.array(z.string()) }),
        { taskArns: [dryRunResource] },
      );
      for (const task of taskArns) await tell(['ecs', 'stop-task', '--cluster', name, '--task', task]);
      await persist(['ecs', 'delete-cluster', '--cluster', name], 300);
    });
    await tell(['ecs', 'create-cluster', '--cluster-name', name]);
    const definition = await registerMany(account, found);
    const events = await eventsOf(account, ['ECS Task State Change'], 'ecs');

    const run = async () => {
      const { tasks } = await ask(
        [
          ...['ecs', 'run-task', '--cluster', name, '--launch-type', 'FARGATE', '--count', '1'],
          ...['--task-definition', definition, '--group', `${name}/task`, '--started-by', name],
          '--network-configuration',
          JSON.stringify({ awsvpcConfiguration: { subnets, assignPublicIp: 'ENABLED' } }),
        ],
        Tasks,
        sample,
      );
      const task = tasks[0]?.taskArn;
      if (task === undefined) throw new Error('ECS started no task');
      return task;
    };
    const describe = (task: string) => ['ecs', 'describe-tasks', '--cluster', name, '--tasks', task];
    const stop = (task: string) => ['ecs', 'stop-task', '--cluster', name, '--task', task];

    const short = await run();
    const { failures } = await ask(describe(short), Tasks, sample);
    const refusal = await account.refusalOf(stop(short));
    const outcome = refusal === undefined ? 'StopTask stopped it' : refusal.message;
    if (failures.some(({ reason }) => reason === 'MISSING'))
      found(
        assumed.missing,
        `it was MISSING; ${outcome}`,
        refusal === undefined ? 'as assumed' : 'otherwise',
      );
    else found(assumed.missing, `DescribeTasks had the task at once; ${outcome}`, 'not seen');

    const begin = seconds();
    const long = await run();
    const statusIs = (wanted: string) => (answer: z.infer<typeof Tasks>) =>
      answer.tasks[0]?.lastStatus === wanted;
    const waiting = { everySeconds: 3, longestSeconds: 300 };
    await until(describe(long), [Tasks, sample], { isReached: statusIs('RUNNING'), ...waiting });
    const took = seconds() - begin;
    found(assumed.seconds, `after ${took} s`, took <= 60 ? 'as assumed' : 'otherwise');
    await tell(stop(long));
    await until(describe(long), [Tasks, sample], { isReached: statusIs('STOPPED'), ...waiting });

    const arrived = await events(long, 30);
    const without = arrived.filter(({ detail }) => detail.group !== `${name}/task`);
    if (arrived.length === 0) found(assumed.group, 'no event came', 'not seen');
    else
      found(
        assumed.group,
        `in ${arrived.length - without.length} of ${arrived.length} events`,
        without.length === 0 ? 'as assumed' : 'otherwise',
      );
  },
};

const definitions = 10;

/** Registers task definitions at the same time, without retries, and returns the name of the one to use. */
const registerMany = async (account: Account, found: Found): Promise<string> => {
  const { ask, tell, toRemove, refusalOf, name, seconds } = account;
  const familyOf = (index: number) => `${name}-${index}`;
  const container = {
    ...{ name: 'main', image: 'public.ecr.aws/docker/library/busybox:stable' },
    command: ['sleep', '600'],
  };
  const register = (index: number) => [
    ...['ecs', 'register-task-definition', '--family', familyOf(index)],
    ...[
      '--requires-compatibilities',
      'FARGATE',
      '--network-mode',
      'awsvpc',
      '--cpu',
      '256',
      '--memory',
      '512',
    ],
    ...['--container-definitions', JSON.stringify([container])],
  ];
  toRemove(`task definitions ${name}-*`, async () => {
    for (let index = 0; index < definitions; index += 1) {
      const { taskDefinitionArns: arns } = await ask(
        ['ecs', 'list-task-definitions', '--family-prefix', familyOf(index)],
        z.object({ taskDefinitionArns: z.array(z.string()) }),
        { taskDefinitionArns: [familyOf(index)] },
      );
      for (const arn of arns) {
        await tell(['ecs', 'deregister-task-definition', '--task-definition', arn]);
        await tell(['ecs', 'delete-task-definitions', '--task-definitions', arn]);
      }
    }
  });
  await tell(register(0));
  const others = Array.from({ length: definitions - 1 }, (_, index) => index + 1);
  const begin = seconds();
  const refusals = await Promise.all(
    others.map((index) => refusalOf(register(index), { env: { AWS_MAX_ATTEMPTS: '1' } })),
  );
  const refused = refusals.filter((one) => one !== undefined);
  const unexpected = refused.find(({ code }) => !code.startsWith('Throttling'));
  if (unexpected !== undefined) throw unexpected;
  found(
    assumed.registering,
    `of ${others.length} at once, within ${seconds() - begin} s, ${refused.length} were throttled`,
    refused.length > 0 ? 'as assumed' : 'otherwise',
  );
  return familyOf(0);
};

/** The subnets of the default VPC, one of each zone. @throws where there are none */
export const defaultSubnets = async ({ ask }: Account): Promise<string[]> => {
  const { Subnets } = await ask(
    ['ec2', 'describe-subnets', '--filters', 'Name=default-for-az,Values=true'],
    z.object({ Subnets: z.array(z.object({ SubnetId: z.string() })) }),
    { Subnets: [{ SubnetId: 'SUBNET-1' }, { SubnetId: 'SUBNET-2' }] },
  );
  if (Subnets.length === 0) throw new Error('the region has no default subnets');
  return Subnets.map(({ SubnetId }) => SubnetId).slice(0, 3);
};
