import * as z from 'zod/mini';
import { managedByDcm } from '../../shared/core/ownership.ts';
import type { Account, Checks, Found } from './account.ts';
import { Refusal } from './account.ts';
import { type Arrived, dryRunResource, eventsOf } from './events.ts';

const assumed = {
  pages: 'DescribeInstances takes MaxResults of 5 to 1,000, also with filters, and refuses it with ids',
  role: "the provider's role may launch with our tags, and not without",
  network:
    'without a subnet a launch goes to the default VPC, and without a public address where it is refused',
  tagEvent: 'the tags of a launch need not cause an event "Tag Change on Resource"',
  once: 'each state of an instance causes one event, seldom more',
  delay: "EC2's events are on the bus within seconds",
  launchTime: "LaunchTime is that of the newest start, and the interface's AttachTime that of the first",
} as const;

const Instances = z.object({
  Reservations: z.array(
    z.object({
      Instances: z.array(
        z.object({
          ...{ InstanceId: z.string(), LaunchTime: z.string(), State: z.object({ Name: z.string() }) },
          PublicIpAddress: z.optional(z.string()),
          NetworkInterfaces: z.array(z.object({ Attachment: z.object({ AttachTime: z.string() }) })),
        }),
      ),
    }),
  ),
});

const sample = {
  Reservations: [
    {
      Instances: [
        {
          ...{ InstanceId: dryRunResource, LaunchTime: '', State: { Name: '' } },
          NetworkInterfaces: [{ Attachment: { AttachTime: '' } }],
        },
      ],
    },
  ],
};

const instanceOf = ({ Reservations }: z.infer<typeof Instances>) => {
  const instance = Reservations[0]?.Instances[0];
  if (instance === undefined) throw new Error('EC2 does not show the instance that was launched');
  return instance;
};

/** What ADR 19 and 20 and the poller rely on. */
export const ec2: Checks = {
  service: 'EC2',
  makes: 'a t3.nano for about six minutes, a rule of EventBridge and a queue of SQS',
  dollars: 0.01,
  minutes: 8,
  assumptions: Object.values(assumed),
  run: async (account, found) => {
    await checkRole(account, found);
    await checkPages(account, found);
    const events = await eventsOf(
      account,
      ['EC2 Instance State-change Notification', 'Tag Change on Resource'],
      'ec2',
    );
    const id = await launch(account, found);
    if (id === undefined) return;
    const arrived = await events(id, 120);
    await checkRestart(account, id, found);
    await account.tell(['ec2', 'terminate-instances', '--instance-ids', id]);
    checkEvents([...arrived, ...(await events(id, 90))], found);
  },
};

/** Simulates the policies of the deployed provider-api's role. */
const checkRole = async ({ provider, tagKeys, region, ask }: Account, found: Found) => {
  const name = `${provider}-provider-api`;
  const role = await ask(
    ['lambda', 'get-function-configuration', '--function-name', name],
    z.object({ Role: z.string() }),
    { Role: 'arn:aws:iam::ACCOUNT:role/ROLE' },
  ).catch((error: unknown) => {
    if (error instanceof Refusal) return undefined;
    throw error;
  });
  if (role === undefined) {
    found(assumed.role, `the function ${name} is not deployed here`, 'not seen');
    return;
  }
  const decide = async (tags: Readonly<Record<string, string>>) => {
    const keys = {
      'aws:RequestedRegion': region,
      ...{ 'ec2:InstanceType': 't3.micro', 'ec2:MetadataHttpTokens': 'required' },
      ...tags,
    };
    const context = Object.entries(keys).map(([ContextKeyName, value]) => ({
      ...{ ContextKeyName, ContextKeyType: 'string' },
      ContextKeyValues: [value],
    }));
    const [, partition, , , owner] = role.Role.split(':');
    const { EvaluationResults } = await ask(
      [
        ...['iam', 'simulate-principal-policy', '--policy-source-arn', role.Role],
        ...['--action-names', 'ec2:RunInstances'],
        ...['--resource-arns', `arn:${partition}:ec2:*:${owner}:instance/*`],
        ...['--context-entries', JSON.stringify(context)],
      ],
      z.object({ EvaluationResults: z.array(z.object({ EvalDecision: z.string() })) }),
      { EvaluationResults: [{ EvalDecision: '' }] },
    );
    return EvaluationResults[0]?.EvalDecision;
  };
  const [tagged, bare] = [
    await decide({
      [`aws:RequestTag/${tagKeys.managedBy}`]: managedByDcm,
      [`aws:RequestTag/${tagKeys.provider}`]: provider,
    }),
    await decide({}),
  ];
  const agrees = tagged === 'allowed' && bare !== 'allowed';
  found(assumed.role, `with tags ${tagged}, without ${bare}`, agrees ? 'as assumed' : 'otherwise');
};

const checkPages = async ({ refusalOf }: Account, found: Found) => {
  const filter = ['--filters', 'Name=instance-state-name,Values=running'];
  const asked: readonly (readonly [string, boolean, readonly string[]])[] = [
    ['4', false, ['4']],
    ['5', true, ['5']],
    ['1,000', true, ['1000']],
    ['1,000 with a filter', true, ['1000', ...filter]],
    ['1,001', false, ['1001']],
    ['1,000 with an id', false, ['1000', '--instance-ids', 'i-00000000000000000']],
  ];
  const outcomes: string[] = [];
  let agrees = true;
  for (const [what, isTaken, args] of asked) {
    const refusal = await refusalOf([
      ...['ec2', 'describe-instances', '--no-paginate', '--max-results'],
      ...args,
    ]);
    outcomes.push(`${what}: ${refusal === undefined ? 'taken' : refusal.code || 'refused'}`);
    agrees &&= isTaken === (refusal === undefined);
  }
  found(assumed.pages, outcomes.join('; '), agrees ? 'as assumed' : 'otherwise');
};

/** Launches as the provider does where no subnet is configured. Returns the instance's id. */
const launch = async (account: Account, found: Found): Promise<string | undefined> => {
  const { name, ask, until, tell, toRemove } = account;
  const tags = [{ Key: 'Name', Value: name }];
  const own = [
    '--filters',
    `Name=tag:Name,Values=${name}`,
    `Name=instance-state-name,Values=pending,running,stopping,stopped`,
  ];
  toRemove(`instance with the tag Name=${name}`, async () => {
    const { Reservations } = await ask(['ec2', 'describe-instances', ...own], Instances, sample);
    const ids = Reservations.flatMap((one) => one.Instances.map(({ InstanceId }) => InstanceId));
    if (ids.length > 0) await tell(['ec2', 'terminate-instances', '--instance-ids', ...ids]);
  });
  try {
    const launched = await ask(
      [
        ...['ec2', 'run-instances', '--count', '1', '--instance-type', 't3.nano', '--client-token', name],
        '--image-id',
        'resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64',
        ...['--metadata-options', 'HttpTokens=required'],
        ...['--network-interfaces', JSON.stringify([{ DeviceIndex: 0, AssociatePublicIpAddress: false }])],
        '--tag-specifications',
        JSON.stringify(['instance', 'volume'].map((ResourceType) => ({ ResourceType, Tags: tags }))),
      ],
      z.object({ Instances: z.array(z.object({ InstanceId: z.string() })) }),
      { Instances: [{ InstanceId: dryRunResource }] },
    );
    const id = launched.Instances[0]?.InstanceId;
    if (id === undefined) throw new Error('EC2 answered without an instance');
    const { PublicIpAddress: address } = await untilState(until, id, 'running');
    const what = `launched; public address: ${address ?? 'none'}`;
    found(assumed.network, what, address === undefined ? 'as assumed' : 'otherwise');
    return id;
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    found(assumed.network, error.message, 'otherwise');
    return undefined;
  }
};

const untilState = async (until: Account['until'], id: string, state: string) =>
  instanceOf(
    await until(['ec2', 'describe-instances', '--instance-ids', id], [Instances, sample], {
      isReached: (answer) => answer.Reservations[0]?.Instances[0]?.State.Name === state,
      ...{ everySeconds: 5, longestSeconds: 300 },
    }),
  );

const checkRestart = async ({ tell, until }: Account, id: string, found: Found) => {
  const first = await untilState(until, id, 'running');
  await tell(['ec2', 'stop-instances', '--instance-ids', id]);
  await untilState(until, id, 'stopped');
  await tell(['ec2', 'start-instances', '--instance-ids', id]);
  const then = await untilState(until, id, 'running');
  const attached = (instance: typeof first) => instance.NetworkInterfaces[0]?.Attachment.AttachTime;
  const agrees = first.LaunchTime < then.LaunchTime && attached(first) === attached(then);
  const what = `LaunchTime ${first.LaunchTime}, then ${then.LaunchTime}; AttachTime ${attached(first)}, then ${attached(then)}`;
  found(assumed.launchTime, what, agrees ? 'as assumed' : 'otherwise');
};

const lived = [
  'pending',
  'running',
  'stopping',
  'stopped',
  'pending',
  'running',
  'shutting-down',
  'terminated',
];

const checkEvents = (arrived: readonly Arrived[], found: Found) => {
  const tagEvents = arrived.filter(({ type }) => type === 'Tag Change on Resource');
  found(assumed.tagEvent, `${tagEvents.length} came`, 'as assumed');
  const states = arrived.filter(({ type }) => type !== 'Tag Change on Resource');
  const count = (list: readonly unknown[], state: string) => list.filter((one) => one === state).length;
  const seen = states.map(({ detail }) => detail.state);
  const names = [...new Set(lived)];
  const what = names.map((state) => `${state} ${count(seen, state)} of ${count(lived, state)}`).join(', ');
  const isEach = names.every((state) => count(seen, state) === count(lived, state));
  found(assumed.once, what, isEach ? 'as assumed' : 'otherwise');
  const longest = Math.max(...states.map(({ seconds }) => seconds));
  if (states.length === 0) found(assumed.delay, 'no event came', 'not seen');
  else found(assumed.delay, `${longest} s at most`, longest <= 10 ? 'as assumed' : 'otherwise');
};
