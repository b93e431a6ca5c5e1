import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  EC2Client,
  type Instance,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge';
import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import {
  CreateQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { LocalServer } from '../local/processes/loopback.ts';
import { account, homeRegion, streamingRegion } from './names.ts';
import { callAws, rootConfig, userWithPolicy } from './root.ts';

type Emulator = Pick<LocalServer, 'url'>;

/** Something that ministack, as it is published, does otherwise than AWS. */
export type Deviation = {
  readonly name: string;
  /** What AWS does. */
  readonly onAws: string;
  /** What the run does about it, or does not judge because of it. */
  readonly consequence: string;
  /** By emulators/run_ministack.py, with which it must not occur. */
  readonly isRepaired?: true;
  /** Whether the emulator still does so. Needs one that enforces IAM policies, with nothing deployed. */
  readonly occurs: (emulator: Emulator) => Promise<boolean>;
};

const adapted = (how: string) => `deployment/adaptations.ts ${how}`;

export const deviations: readonly Deviation[] = [
  {
    name: 'DynamoDB: two paths that one expression sets to the same value share the value, so a change of one changes the other',
    onAws: 'each path has its own copy',
    consequence: 'emulators/run_ministack.py copies the value',
    isRepaired: true,
    occurs: async (emulator) => {
      const client = new DynamoDBClient(rootConfig(emulator));
      await client.send(
        new CreateTableCommand({
          TableName: 'probe',
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        }),
      );
      const keyed = { TableName: 'probe', Key: { pk: { S: 'a' } } };
      await client.send(new PutItemCommand({ TableName: 'probe', Item: { pk: { S: 'a' } } }));
      const empty = { ':empty': { M: {} } };
      const both = {
        UpdateExpression: 'SET left_ = :empty, right_ = :empty',
        ExpressionAttributeValues: empty,
      };
      await client.send(new UpdateItemCommand({ ...keyed, ...both }));
      const inOne = { UpdateExpression: 'SET left_.more_ = :empty', ExpressionAttributeValues: empty };
      await client.send(new UpdateItemCommand({ ...keyed, ...inOne }));
      const { Item } = await client.send(new GetItemCommand(keyed));
      return Object.keys(Item?.right_?.M ?? {}).length > 0;
    },
  },
  {
    name: 'EC2: instances run, stop and terminate at once',
    onAws: 'they are pending, stopping and shutting-down first',
    consequence: 'emulators/run_ministack.py lets an instance pass through these states, DWELL_SECONDS each',
    isRepaired: true,
    occurs: async (emulator) => (await launch(emulator)).State?.Name === 'running',
  },
  {
    name: 'EC2: no events are published on the default bus',
    onAws: 'each change of an instance’s state is an event',
    consequence: 'emulators/run_ministack.py publishes them',
    isRepaired: true,
    occurs: async (emulator) => {
      const bus = await watchedBus(emulator, { source: ['aws.ec2', 'probe'] });
      await launch(emulator);
      return (await bus.receivedUntilProbe()).every((source) => source === 'probe');
    },
  },
  {
    name: 'EC2: the client token of a launch is not stored, and a second launch with it succeeds',
    onAws: 'it is stored with the instance, and launches once',
    consequence: 'emulators/run_ministack.py stores it',
    isRepaired: true,
    occurs: async (emulator) => {
      const ClientToken = randomUUID();
      const [once, again] = [
        await launch(emulator, { ClientToken }),
        await launch(emulator, { ClientToken }),
      ];
      return once.InstanceId !== again.InstanceId && once.ClientToken === undefined;
    },
  },
  {
    name: 'EC2: DryRun is ignored',
    onAws: 'a permitted request answers DryRunOperation',
    consequence:
      'emulators/run_ministack.py answers so to DescribeInstances, which the health of the provider asks',
    isRepaired: true,
    occurs: (emulator) =>
      ec2(emulator)
        .send(new DescribeInstancesCommand({ DryRun: true }))
        .then(
          () => true,
          () => false,
        ),
  },
  {
    name: 'EC2: a terminated instance has no reason',
    onAws: 'StateReason says who or what ended it',
    consequence: 'the run does not test how reasons become DELETED or FAILED',
    occurs: async (emulator) => {
      const { InstanceId = '' } = await launch(emulator);
      const client = ec2(emulator);
      await client.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
      const { Reservations } = await client.send(new DescribeInstancesCommand({ InstanceIds: [InstanceId] }));
      return Reservations?.[0]?.Instances?.[0]?.StateReason === undefined;
    },
  },
  {
    name: 'EC2: DescribeInstanceStatus ignores its filters',
    onAws: 'only matching instances are listed',
    consequence: 'the run does not test how failed status checks are found',
    occurs: async (emulator) => {
      await launch(emulator);
      const Filters = [{ Name: 'instance-status.status', Values: ['impaired'] }];
      const { InstanceStatuses = [] } = await ec2(emulator).send(
        new DescribeInstanceStatusCommand({ Filters }),
      );
      return InstanceStatuses.length > 0;
    },
  },
  {
    name: 'EventBridge: the default bus of another region cannot be a target',
    onAws: 'events are forwarded to it',
    consequence: 'the stack of a streaming region is deployed, and its forwarding is not tested',
    occurs: async (emulator) => {
      const bus = await watchedBus(emulator, { source: ['elsewhere', 'probe'] });
      const elsewhere = new EventBridgeClient(rootConfig(emulator, streamingRegion));
      await elsewhere.send(new PutRuleCommand({ Name: 'probe', EventPattern: '{"source":["elsewhere"]}' }));
      const Arn = `arn:aws:events:${homeRegion}:${account}:event-bus/default`;
      await elsewhere.send(
        new PutTargetsCommand({
          Rule: 'probe',
          Targets: [{ Id: 'home', Arn, RoleArn: `arn:aws:iam::${account}:role/probe` }],
        }),
      );
      const event = { Source: 'elsewhere', DetailType: 'probe', Detail: '{}' };
      await elsewhere.send(new PutEventsCommand({ Entries: [event] }));
      return (await bus.receivedUntilProbe()).every((source) => source === 'probe');
    },
  },
  {
    name: 'CloudFormation: no events of stacks are published',
    onAws: 'a completed deployment is an event on the default bus',
    consequence: 'the run publishes the event itself',
    occurs: async (emulator) => {
      const bus = await watchedBus(emulator, { source: ['aws.cloudformation', 'probe'] });
      await statusOfStack(emulator, 'AWS::SQS::Queue', {});
      return (await bus.receivedUntilProbe()).every((source) => source === 'probe');
    },
  },
  {
    name: 'CloudFormation: alarms on metric math are refused',
    onAws: 'they are created',
    consequence: adapted('replaces it by a plain metric'),
    occurs: (emulator) =>
      isRefused(emulator, 'AWS::CloudWatch::Alarm', {
        ComparisonOperator: 'GreaterThanThreshold',
        EvaluationPeriods: 1,
        Threshold: 0,
        Metrics: [{ Id: 'e', Expression: 'TIME_SERIES(1)', Period: 60 }],
      }),
  },
  {
    name: 'CloudFormation: AWS::EC2::SecurityGroupIngress is not supported',
    onAws: 'it is created',
    consequence: adapted('removes it'),
    occurs: (emulator) =>
      isRefused(emulator, 'AWS::EC2::SecurityGroupIngress', {
        GroupId: 'sg-0123456789abcdef0',
        IpProtocol: 'tcp',
        FromPort: 443,
        ToPort: 443,
        CidrIp: '10.0.0.0/8',
      }),
  },
  {
    name: 'IAM: sqs:SendMessage does not permit SendMessageBatch',
    onAws: 'sqs:SendMessage includes batches',
    consequence: adapted('permits batches'),
    occurs: async (emulator) => {
      const QueueUrl = await createQueue(emulator);
      const credentials = await userWithPolicy(emulator, { Action: 'sqs:SendMessage', Resource: '*' });
      const Entries = [{ Id: 'a', MessageBody: 'a' }];
      const client = new SQSClient({ ...rootConfig(emulator), credentials });
      return isDenied(client.send(new SendMessageBatchCommand({ QueueUrl, Entries })));
    },
  },
  {
    name: 'IAM: EC2’s condition keys are not supported',
    onAws: 'ec2:InstanceType and others are evaluated',
    consequence: adapted(
      'removes conditions and resources from the permissions to launch and change instances',
    ),
    occurs: async (emulator) => {
      const credentials = await userWithPolicy(emulator, {
        Action: 'ec2:RunInstances',
        Resource: '*',
        Condition: { StringLike: { 'ec2:InstanceType': 't3.*' } },
      });
      return isDenied(launch(emulator, {}, credentials));
    },
  },
  {
    name: 'IAM: the ARN of a public SSM parameter has the account',
    onAws: 'the ARN has no account',
    consequence: adapted('permits them in any account'),
    occurs: async (emulator) => {
      const Resource = 'arn:aws:ssm:*::parameter/aws/service/*';
      const credentials = await userWithPolicy(emulator, { Action: 'ssm:GetParameter', Resource });
      const Name = '/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-x86_64';
      const client = new SSMClient({ ...rootConfig(emulator), credentials });
      return isDenied(client.send(new GetParameterCommand({ Name })));
    },
  },
  {
    name: 'Service Quotas: the vCPU quota of EC2 is not answered within two seconds',
    onAws: 'GetServiceQuota answers it',
    consequence: 'VMs are created without the quota check',
    occurs: async (emulator) => {
      const quotas = new ServiceQuotasClient(rootConfig(emulator));
      const command = new GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode: 'L-1216C47A' });
      return quotas.send(command, { abortSignal: AbortSignal.timeout(2_000) }).then(
        ({ Quota }) => Quota?.Value === undefined,
        () => true,
      );
    },
  },
];

type Credentials = ReturnType<typeof rootConfig>['credentials'];

const ec2 = (emulator: Emulator, credentials?: Credentials) =>
  new EC2Client({ ...rootConfig(emulator), ...(credentials && { credentials }) });

const launch = async (
  emulator: Emulator,
  more: { readonly ClientToken?: string } = {},
  credentials?: Credentials,
): Promise<Instance> => {
  const input = {
    ImageId: 'ami-0123456789abcdef0',
    InstanceType: 't3.micro',
    MinCount: 1,
    MaxCount: 1,
  } as const;
  const { Instances } = await ec2(emulator, credentials).send(new RunInstancesCommand({ ...input, ...more }));
  return Instances?.[0] ?? {};
};

const createQueue = async (emulator: Emulator): Promise<string> => {
  const sqs = new SQSClient(rootConfig(emulator));
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `probe-${randomUUID()}` }));
  return QueueUrl;
};

/** A queue that gets what a pattern lets through on the home region's default bus; an event of the source `probe` ends the listening. */
const watchedBus = async (emulator: Emulator, pattern: object) => {
  const QueueUrl = await createQueue(emulator);
  const events = new EventBridgeClient(rootConfig(emulator));
  const Name = `probe-${randomUUID()}`;
  await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify(pattern) }));
  const Arn = `arn:aws:sqs:${homeRegion}:${account}:${QueueUrl.split('/').at(-1)}`;
  await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 'queue', Arn }] }));
  const receivedUntilProbe = async (): Promise<string[]> => {
    await sleep(1_000);
    const event = { Source: 'probe', DetailType: 'probe', Detail: '{}' };
    await events.send(new PutEventsCommand({ Entries: [event] }));
    const sources: string[] = [];
    const sqs = new SQSClient(rootConfig(emulator));
    while (!sources.includes('probe')) {
      const asked = new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MaxNumberOfMessages: 10 });
      const { Messages = [] } = await sqs.send(asked);
      if (Messages.length === 0) throw new Error('EventBridge delivers nothing to SQS');
      sources.push(...Messages.map(({ Body = '' }) => /"source":\s*"([^"]*)"/.exec(Body)?.[1] ?? ''));
    }
    return sources;
  };
  return { receivedUntilProbe };
};

const isDenied = (asked: Promise<unknown>): Promise<boolean> =>
  asked.then(
    () => false,
    (error: unknown) =>
      error instanceof Error && /AccessDenied|UnauthorizedOperation/.test(`${error.name} ${error.message}`),
  );

/** Whether a stack with this one resource cannot be created. */
const isRefused = async (emulator: Emulator, type: string, properties: object): Promise<boolean> =>
  statusOfStack(emulator, type, properties).then(
    (status) => status !== 'CREATE_COMPLETE',
    (error: unknown) => error instanceof Error && error.message.includes('Unrecognized resource types'),
  );

const statusOfStack = async (emulator: Emulator, type: string, properties: object): Promise<string> => {
  const StackName = `probe-${randomUUID()}`;
  const TemplateBody = JSON.stringify({ Resources: { Probe: { Type: type, Properties: properties } } });
  const cloudFormation = (parameters: Readonly<Record<string, string>>): Promise<string> =>
    callAws(emulator, 'cloudformation', {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ Version: '2010-05-15', StackName, ...parameters }).toString(),
    });
  await cloudFormation({ Action: 'CreateStack', TemplateBody });
  for (;;) {
    const status = /<StackStatus>(\w+)</.exec(await cloudFormation({ Action: 'DescribeStacks' }))?.[1];
    if (status !== undefined && !status.endsWith('IN_PROGRESS')) return status;
    await sleep(100);
  }
};
