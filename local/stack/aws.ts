import type { AccountsFile } from '../../shared/runtime/accounts.ts';
import { eventPatternsOf, eventSources } from '../../shared/service-types/events.ts';
import type { EventPattern } from '../../shared/wire/eventbridge.ts';
import { type Callers, keyCallers } from '../emulators/callers.ts';
import {
  createTable,
  inventoryTable as describeInventoryTable,
  resourceTable as describeResourceTable,
  startDynamoDb,
} from '../emulators/dynamodb.ts';
import { subnetsOf } from '../emulators/ec2/actions/network.ts';
import { type Ec2Simulator, startEc2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import { type EcsEmulator, startEcsEmulator } from '../emulators/ecs/start-ecs-emulator.ts';
import { type EksEmulator, startEksEmulator } from '../emulators/eks/start-eks-emulator.ts';
import { startElbEmulator } from '../emulators/elb/start-elb-emulator.ts';
import { type Deliver, sendToQueue } from '../emulators/event-bus/delivery.ts';
import {
  type Bus,
  type EventBus,
  forwardToBus,
  startEventBus,
} from '../emulators/event-bus/start-event-bus.ts';
import { startServiceQuotas } from '../emulators/service-quotas.ts';
import { createQueue, startSqs } from '../emulators/sqs.ts';
import { startSsm } from '../emulators/ssm.ts';
import { type Sts, startSts } from '../emulators/sts.ts';
import type { Use } from '../processes/disposables.ts';
import { rolesOf } from './accounts.ts';
import { account, homeRegion, provider, type StackOptions, silentRegion } from './options.ts';

export type Aws = {
  readonly dynamodbUrl: string;
  readonly resourceTable: string;
  readonly sqsUrl: string;
  readonly observationsQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly clusterStepsQueueUrl: string;
  readonly clusterStepsDeadLetterQueueUrl: string;
  readonly inventoryTable: string;
  readonly inventoryQueueUrl: string;
  readonly inventoryDeadLetterQueueUrl: string;
  /** The queue behind the status bus. */
  readonly changesQueueUrl: string;
  readonly changesDeadLetterQueueUrl: string;
  readonly usageTable: string;
  readonly usageQueueUrl: string;
  readonly usageDeadLetterQueueUrl: string;
  readonly events: EventBus;
  /** This and the next are undefined where another EC2 is used, which has its own images and quotas. */
  readonly ssmUrl: string | undefined;
  readonly serviceQuotasUrl: string | undefined;
  /** undefined: EC2 itself. */
  readonly ec2Url: string | undefined;
  /** The rest is undefined where another EC2 is used: then there are no containers, clusters and load balancers. */
  readonly ecsUrl: string | undefined;
  readonly eksUrl: string | undefined;
  readonly elbUrl: string | undefined;
  readonly ec2: Ec2Simulator | undefined;
  readonly ecs: EcsEmulator | undefined;
  readonly eks: EksEmulator | undefined;
  /** undefined where there is the home account alone. */
  readonly sts?: Sts | undefined;
};

/** Starts AWS's side without Lambda: the table, the queues, the event bus with its rules, EC2 with its images and quotas, ECS and EKS. */
export const startAws = async (
  options: StackOptions,
  accounts: AccountsFile | undefined,
  use: Use,
): Promise<Aws> => {
  const [dynamodbUrl, sqsUrl] = await Promise.all([
    options.dynamodbUrl ?? use(startDynamoDb()).then(({ url }) => url),
    options.sqsUrl ?? use(startSqs()).then(({ url }) => url),
  ]);
  const resourceTable = `${provider}-fleet`;
  const inventoryTable = `${provider}-inventory`;
  const usageTable = `${provider}-usage`;
  const [queues] = await Promise.all([
    createQueues(options, sqsUrl),
    createTable(dynamodbUrl, describeResourceTable(resourceTable)),
    createTable(dynamodbUrl, describeInventoryTable(inventoryTable)),
    createTable(dynamodbUrl, describeInventoryTable(usageTable)),
  ]);
  const sts = accounts && (await use(startSts({ account, roles: rolesOf(accounts) })));
  const events = await use(
    startEventBus({
      log: (line) => options.log('event-bus', line),
      buses: busesOf(options, accounts, (queueUrl) => sendToQueue(queueUrl, sqsUrl), queues),
      callers: sts?.callers ?? keyCallers(account),
    }),
  );
  return {
    ...{ dynamodbUrl, resourceTable, inventoryTable, usageTable, sqsUrl, ...queues, events, sts },
    ...(await startServices(options, { eventsUrl: events.url, callers: sts?.callers }, use)),
  };
};

type Queues = Pick<
  Aws,
  | 'observationsQueueUrl'
  | 'deadLetterQueueUrl'
  | 'clusterStepsQueueUrl'
  | 'clusterStepsDeadLetterQueueUrl'
  | 'inventoryQueueUrl'
  | 'inventoryDeadLetterQueueUrl'
  | 'changesQueueUrl'
  | 'changesDeadLetterQueueUrl'
  | 'usageQueueUrl'
  | 'usageDeadLetterQueueUrl'
>;

/** The queues, each with its dead-letter queue. */
const createQueues = async (
  { visibilityTimeoutSeconds = 90 }: StackOptions,
  sqsUrl: string,
): Promise<Queues> => {
  const attributes = { VisibilityTimeout: String(visibilityTimeoutSeconds) };
  const pair = (name: string) =>
    Promise.all([
      createQueue(sqsUrl, `${provider}-${name}`, attributes),
      createQueue(sqsUrl, `${provider}-${name}-dead-letters`),
    ]);
  const [observations, clusterSteps, inventory, changes, usage] = await Promise.all([
    ...[pair('observations'), pair('cluster-steps'), pair('inventory'), pair('changes'), pair('usage')],
  ] as const);
  return {
    ...{ observationsQueueUrl: observations[0], deadLetterQueueUrl: observations[1] },
    ...{ clusterStepsQueueUrl: clusterSteps[0], clusterStepsDeadLetterQueueUrl: clusterSteps[1] },
    ...{ inventoryQueueUrl: inventory[0], inventoryDeadLetterQueueUrl: inventory[1] },
    ...{ changesQueueUrl: changes[0], changesDeadLetterQueueUrl: changes[1] },
    ...{ usageQueueUrl: usage[0], usageDeadLetterQueueUrl: usage[1] },
  };
};

/** The bus that gets every published status. */
export const statusBus = { name: `dcm-${provider}-status`, account };

/** The bus to which the other account forwards its events. */
export const hubBus = { name: `dcm-${provider}`, account };

/** The default bus of each account, and the hub's bus, with the rules of a deployment. */
const busesOf = (
  options: StackOptions,
  { accounts }: Pick<AccountsFile, 'accounts'> = { accounts: {} },
  deliverTo: (queueUrl: string) => Deliver,
  queues: Queues,
): readonly Bus[] => {
  const toObservations = deliverTo(queues.observationsQueueUrl);
  const toInventory = deliverTo(queues.inventoryQueueUrl);
  /** Both targets of the rules of a deployment. */
  const rulesOf = (name: string, patterns: readonly EventPattern[]) => [
    { name, patterns, deliver: toObservations },
    { name: `${name}-inventory`, patterns, deliver: toInventory },
  ];
  const patternsOf = (id: string) =>
    eventPatternsOf(id, {
      provider,
      clusterArns: [`arn:aws:ecs:${homeRegion(options)}:${id}:cluster/${provider}`],
    });
  const members = Object.entries(accounts).map(([alias, { id }]) => ({ alias, id }));
  const ids = members.map(({ id }) => id);
  return [
    {
      ...{ name: 'default', account },
      rules: rulesOf('instance-events', patternsOf(account)),
    },
    ...members.map(({ alias, id }) => ({
      ...{ name: 'default', account: id },
      rules: [{ name: `forwarded-events-of-${alias}`, patterns: patternsOf(id), bus: hubBus }],
    })),
    {
      ...hubBus,
      rules: rulesOf('account-events', ids.flatMap(patternsOf)),
      accepts: (event) => ids.includes(event.account) && eventSources.includes(event.source),
    },
    {
      ...statusBus,
      rules: [
        {
          name: 'changes',
          patterns: [{ source: [`dcm/providers/${provider}`] }],
          deliver: deliverTo(queues.changesQueueUrl),
        },
        {
          name: 'usage',
          patterns: [{ source: [`dcm/providers/${provider}`] }],
          deliver: deliverTo(queues.usageQueueUrl),
        },
      ],
    },
  ];
};

type Services = Pick<
  Aws,
  'ssmUrl' | 'serviceQuotasUrl' | 'ec2Url' | 'ecsUrl' | 'eksUrl' | 'elbUrl' | 'ec2' | 'ecs' | 'eks'
>;

const noEmulators = {
  ...{ ssmUrl: undefined, serviceQuotasUrl: undefined, ecsUrl: undefined, eksUrl: undefined },
  ...{ elbUrl: undefined, ec2: undefined, ecs: undefined, eks: undefined },
};

/** EC2, and the services that are emulated together with it. */
const startServices = async (options: StackOptions, shared: Shared, use: Use): Promise<Services> => {
  const { ec2Endpoint, progress } = options;
  if (ec2Endpoint !== undefined) {
    progress('aws', 'there are no containers and clusters: they need the emulators of EC2, ECS and EKS');
    return { ...noEmulators, ec2Url: ec2Endpoint === 'aws' ? undefined : ec2Endpoint };
  }
  const ec2 = await use(startEc2(options, shared));
  const [ssm, serviceQuotas, ecs, eks, elb] = await Promise.all([
    use(startSsm(withCallers(shared))),
    use(startServiceQuotas({ vcpus: 10_000, ...withCallers(shared) })),
    use(startEcs(options, shared, ec2)),
    use(startEks(options, shared)),
    use(startElbEmulator({ account, ...withCallers(shared) })),
  ]);
  return {
    ...{ ssmUrl: ssm.url, serviceQuotasUrl: serviceQuotas.url },
    ...{ ec2Url: ec2.url, ecsUrl: ecs.url, eksUrl: eks.url, elbUrl: elb.url },
    ...{ ec2, ecs, eks },
  };
};

/** `callers`: undefined where there is one account. */
type Shared = { readonly eventsUrl: string; readonly callers: Callers | undefined };

const withCallers = ({ callers }: Shared) => ({ ...(callers && { callers }) });

const startEc2 = ({ dwellMs, ec2Faults, onTransition, log }: StackOptions, shared: Shared) =>
  startEc2Simulator({
    ...{ account, ...withCallers(shared) },
    emit: forwardToBus(shared.eventsUrl),
    log: (line) => log('ec2', line),
    faults: { silentRegions: [silentRegion], ...ec2Faults },
    ...(dwellMs && { dwellMs }),
    ...(onTransition && { onTransition }),
  });

/** Its one ECS cluster is named as a deployment names the one that it makes. */
const startEcs = ({ ecs, log }: StackOptions, shared: Shared, { network }: Ec2Simulator) =>
  startEcsEmulator({
    ...{ account, ...withCallers(shared) },
    clusters: [provider],
    network,
    emit: forwardToBus(shared.eventsUrl),
    log: (line) => log('ecs', line),
    ...ecs,
    faults: { silentRegions: [silentRegion], ...ecs?.faults },
  });

const startEks = ({ eks }: StackOptions, shared: Shared) =>
  startEksEmulator({
    ...{ account, ...withCallers(shared), subnets: subnetsOf },
    ...eks,
    dwellMs: { ...eksDwellMs, ...eks?.dwellMs },
  });

/** A hundredth of what EKS takes. */
const eksDwellMs = {
  pending: 600,
  creating: 6_000,
  updating: 5_000,
  deleting: 5_000,
  nodeGroupCreating: 2_000,
  nodeGroupUpdating: 2_000,
  nodeGroupDeleting: 2_500,
};
