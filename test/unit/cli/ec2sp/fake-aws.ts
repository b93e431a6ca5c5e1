import type { Ran } from '../../../../cli/ec2sp/aws-cli.ts';

/** What the account does otherwise than we assume, or refuses. */
export type Behaviour = {
  readonly publicAddress?: string;
  readonly launchRefusal?: string;
  /** Removals that begin so are refused. */
  readonly refusesToRemove?: string;
  readonly hasOidcProvider?: boolean;
  readonly isNotDeployed?: boolean;
  readonly eventsComeTwice?: boolean;
  readonly group?: string;
  readonly onCall?: (call: string) => void;
};

class Refused extends Error {}
const refuse = (code: string, text = 'no'): never => {
  throw new Refused(`\nAn error occurred (${code}) when calling the Some operation: ${text}\n`);
};

/**
 * A small account behind AWS's command line: each state of an instance, task or cluster lasts until it has been seen once. `clock` is put
 * forward by each call.
 */
export const fakeAws = (
  clock: { readonly now: () => number; readonly pass: (ms: number) => void },
  behaviour: Behaviour = {},
) => {
  const calls: string[] = [];
  /** What there is, by kind and name. */
  const there = new Set<string>();
  const messages: object[] = [];
  let registered = 0;
  const states = new Map<string, string[]>();
  const time = () => new Date(clock.now()).toISOString();
  const instance = { launched: '', attached: '', name: '' };
  const updates: string[] = [];

  const arrives = (type: string, resource: string, detail: object) => {
    const body = {
      id: `${messages.length}`,
      'detail-type': type,
      time: time(),
      resources: [resource],
      detail,
    };
    const message = {
      ...{ MessageId: 'm', ReceiptHandle: 'r', Body: JSON.stringify(body) },
      Attributes: { SentTimestamp: `${clock.now() + 1000}` },
    };
    messages.push(message, ...(behaviour.eventsComeTwice ? [message] : []));
  };
  const instanceIs = (...next: string[]) => {
    states.set('instance', next);
    for (const state of next)
      arrives('EC2 Instance State-change Notification', 'arn:aws:ec2:eu-west-1:1:instance/i-1', { state });
  };
  const seen = (what: string): string => {
    const [state = '', ...next] = states.get(what) ?? [];
    if (next.length > 0) states.set(what, next);
    return state;
  };
  const taskIs = (arn: string, ...next: string[]) => {
    states.set(arn, next);
    for (const lastStatus of next)
      arrives('ECS Task State Change', arn, {
        lastStatus,
        group: behaviour.group ?? `${instance.name}/task`,
      });
  };
  const remove = (what: string, code: string): object => {
    if (!there.delete(what)) refuse(code);
    return {};
  };

  const answer = (option: (name: string) => string): Readonly<Record<string, () => object>> => ({
    'sts get-caller-identity': () => ({ Account: '1' }),
    'lambda get-function-configuration': () =>
      behaviour.isNotDeployed ? refuse('ResourceNotFoundException') : { Role: 'arn:aws:iam::1:role/r' },
    'iam simulate-principal-policy': () => ({
      EvaluationResults: [
        {
          EvalDecision: option('--context-entries').includes('aws:RequestTag/dcm-provider')
            ? 'allowed'
            : 'implicitDeny',
        },
      ],
    }),
    'iam list-open-id-connect-providers': () => ({
      OpenIDConnectProviderList: behaviour.hasOidcProvider
        ? [{ Arn: 'arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com' }]
        : [],
    }),
    'ec2 describe-instances': () => {
      const most = option('--max-results');
      if (most === '4' || most === '1001' || (most !== '' && option('--instance-ids') !== ''))
        refuse('InvalidParameterValue');
      if (!there.has('instance')) return { Reservations: [] };
      const one = {
        ...{ InstanceId: 'i-1', LaunchTime: instance.launched, State: { Name: seen('instance') } },
        ...(behaviour.publicAddress !== undefined && { PublicIpAddress: behaviour.publicAddress }),
        NetworkInterfaces: [{ Attachment: { AttachTime: instance.attached } }],
      };
      return { Reservations: [{ Instances: [one] }] };
    },
    'ec2 run-instances': () => {
      if (behaviour.launchRefusal !== undefined) refuse('MissingInput', behaviour.launchRefusal);
      there.add('instance');
      instance.launched = instance.attached = time();
      instanceIs('pending', 'running');
      return { Instances: [{ InstanceId: 'i-1' }] };
    },
    'ec2 stop-instances': () => {
      instanceIs('stopping', 'stopped');
      return {};
    },
    'ec2 start-instances': () => {
      instance.launched = time();
      instanceIs('pending', 'running');
      return {};
    },
    'ec2 terminate-instances': () => {
      instanceIs('shutting-down', 'terminated');
      return remove('instance', 'InvalidInstanceID.NotFound');
    },
    'ec2 describe-subnets': () => ({ Subnets: [{ SubnetId: 'subnet-1' }, { SubnetId: 'subnet-2' }] }),
    'sqs create-queue': () => {
      there.add('queue');
      return { QueueUrl: 'https://queue' };
    },
    'sqs get-queue-url': () => ({ QueueUrl: 'https://queue' }),
    'sqs get-queue-attributes': () => ({ Attributes: { QueueArn: 'arn:queue' } }),
    'sqs set-queue-attributes': () => ({}),
    'sqs receive-message': () => {
      clock.pass(10_000);
      return { Messages: messages.splice(0, 10) };
    },
    'sqs delete-message-batch': () => ({}),
    'sqs delete-queue': () => remove('queue', 'AWS.SimpleQueueService.NonExistentQueue'),
    'events put-rule': () => {
      there.add('rule');
      return { RuleArn: 'arn:rule' };
    },
    'events put-targets': () => ({}),
    'events remove-targets': () => (there.has('rule') ? {} : refuse('ResourceNotFoundException')),
    'events delete-rule': () => remove('rule', 'ResourceNotFoundException'),
    'ecs create-cluster': () => {
      there.add('ecs cluster');
      return {};
    },
    'ecs register-task-definition': () => {
      registered += 1;
      if (registered % 2 === 0) refuse('ThrottlingException');
      there.add(option('--family'));
      return {};
    },
    'ecs list-task-definitions': () => ({
      taskDefinitionArns: [...there].filter((one) => one === option('--family-prefix')),
    }),
    'ecs deregister-task-definition': () => ({}),
    'ecs delete-task-definitions': () => remove(option('--task-definitions'), 'ClientException'),
    'ecs run-task': () => {
      instance.name = option('--started-by');
      const arn = `arn:task-${states.size}`;
      there.add(arn);
      taskIs(arn, 'PENDING', 'RUNNING');
      return { tasks: [{ taskArn: arn }] };
    },
    'ecs describe-tasks': () => {
      const arn = option('--tasks');
      const isNew = !calls.slice(0, -1).some((call) => call.startsWith('ecs describe-tasks'));
      if (isNew) return { tasks: [], failures: [{ reason: 'MISSING' }] };
      return { tasks: [{ taskArn: arn, lastStatus: seen(arn) }], failures: [] };
    },
    'ecs stop-task': () => {
      taskIs(option('--task'), 'STOPPED');
      return remove(option('--task'), 'InvalidParameterException');
    },
    'ecs list-tasks': () => {
      if (!there.has('ecs cluster')) refuse('ClusterNotFoundException');
      return { taskArns: [...there].filter((one) => one.startsWith('arn:task')) };
    },
    'ecs delete-cluster': () => remove('ecs cluster', 'ClusterNotFoundException'),
    'service-quotas list-service-quotas': () => ({
      Quotas: [{ QuotaName: 'Fargate On-Demand vCPU resource count', Value: 6 }],
    }),
    'cloudformation create-stack': () => {
      there.add('stack');
      states.set('stack', ['CREATE_IN_PROGRESS', 'CREATE_COMPLETE']);
      return {};
    },
    'cloudformation describe-stacks': () => ({ Stacks: [{ StackStatus: seen('stack') }] }),
    'cloudformation delete-stack': () => remove('stack', 'ValidationError'),
    'cloudformation wait': () => ({}),
    'secretsmanager describe-secret': () => refuse('ResourceNotFoundException'),
    'eks create-cluster': () => {
      if (option('--role-arn').endsWith('-absent'))
        refuse('InvalidParameterException', `${option('--role-arn')} does not exist`);
      there.add('eks cluster');
      states.set('cluster', ['CREATING', 'CREATING', 'CREATING', 'ACTIVE']);
      return {};
    },
    'eks describe-cluster': () =>
      there.has('eks cluster')
        ? { cluster: { status: seen('cluster') } }
        : refuse('ResourceNotFoundException'),
    'eks delete-cluster': () =>
      states.get('cluster')?.[0] === 'CREATING'
        ? refuse('ResourceInUseException')
        : remove('eks cluster', 'ResourceNotFoundException'),
    'eks create-nodegroup': () => {
      there.add('node group');
      states.set('nodes', ['CREATING', 'ACTIVE']);
      return {};
    },
    'eks describe-nodegroup': () =>
      there.has('node group')
        ? { nodegroup: { status: seen('nodes') } }
        : refuse('ResourceNotFoundException'),
    'eks delete-nodegroup': () => remove('node group', 'ResourceNotFoundException'),
    'eks update-cluster-config': () => {
      updates.unshift(`update-${updates.length}`);
      states.set('cluster', ['UPDATING', 'ACTIVE']);
      return { update: { id: updates[0], status: 'InProgress' } };
    },
    'eks describe-update': () => ({ update: { id: option('--update-id'), status: 'Successful' } }),
    'eks list-updates': () => ({ updateIds: updates }),
  });

  const run = async (args: readonly string[]): Promise<Ran> => {
    clock.pass(1_000);
    const call = args.slice(0, 2).join(' ');
    calls.push(args.join(' '));
    behaviour.onCall?.(call);
    const option = (name: string) => args[args.indexOf(name) + 1] ?? '';
    const given = (name: string) => (args.includes(name) ? option(name) : '');
    try {
      if (behaviour.refusesToRemove === call) refuse('AccessDenied');
      const found = answer(given)[call];
      if (found === undefined) throw new Error(`the fake does not know aws ${call}`);
      return { exitCode: 0, stdout: JSON.stringify(found()), stderr: '' };
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return { exitCode: 254, stdout: '', stderr: error.message };
    }
  };

  return { run, calls, there };
};
