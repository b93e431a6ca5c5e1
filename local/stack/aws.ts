import { eventPatternsOf } from '../../shared/service-types/events.ts';
import { createTable, resourceTable as describeResourceTable, startDynamoDb } from '../emulators/dynamodb.ts';
import { subnetsOf } from '../emulators/ec2/actions/network.ts';
import { type Ec2Simulator, startEc2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import { type EcsEmulator, startEcsEmulator } from '../emulators/ecs/start-ecs-emulator.ts';
import { type EksEmulator, startEksEmulator } from '../emulators/eks/start-eks-emulator.ts';
import { sendToQueue } from '../emulators/event-bus/delivery.ts';
import { forwardToBus, startEventBus } from '../emulators/event-bus/start-event-bus.ts';
import { startServiceQuotas } from '../emulators/service-quotas.ts';
import { createQueue, startSqs } from '../emulators/sqs.ts';
import { startSsm } from '../emulators/ssm.ts';
import type { Use } from '../processes/disposables.ts';
import { account, homeRegion, httpUrlOf, provider, type StackOptions, silentRegion } from './options.ts';

export type Aws = {
  readonly dynamodbUrl: string;
  readonly resourceTable: string;
  readonly sqsUrl: string;
  readonly observationsQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly clusterStepsQueueUrl: string;
  readonly clusterStepsDeadLetterQueueUrl: string;
  readonly eventsUrl: string;
  /** This and the next are undefined where another EC2 is used, which has its own images and quotas. */
  readonly ssmUrl: string | undefined;
  readonly serviceQuotasUrl: string | undefined;
  /** undefined: EC2 itself. */
  readonly ec2Url: string | undefined;
  /** The rest is undefined where another EC2 is used: then there are no containers and clusters. */
  readonly ecsUrl: string | undefined;
  readonly eksUrl: string | undefined;
  readonly ec2: Ec2Simulator | undefined;
  readonly ecs: EcsEmulator | undefined;
  readonly eks: EksEmulator | undefined;
};

/**
 * Starts AWS's side without Lambda: the table, the queues, the event bus with its rules, EC2 with its images and quotas, ECS and EKS.
 * @throws SettingsError where `ec2Endpoint` is neither `aws` nor a URL.
 */
export const startAws = async (options: StackOptions, use: Use): Promise<Aws> => {
  const { ec2Endpoint } = options;
  if (ec2Endpoint !== undefined && ec2Endpoint !== 'aws')
    httpUrlOf('--ec2-endpoint', ec2Endpoint, '"aws" or an http(s) URL');
  const [dynamodbUrl, sqsUrl] = await Promise.all([
    options.dynamodbUrl ?? use(startDynamoDb()).then(({ url }) => url),
    options.sqsUrl ?? use(startSqs()).then(({ url }) => url),
  ]);
  const resourceTable = `${provider}-fleet`;
  const VisibilityTimeout = String(options.visibilityTimeoutSeconds ?? 90);
  const queue = (name: string, attributes?: Readonly<Record<string, string>>) =>
    createQueue(sqsUrl, `${provider}-${name}`, attributes);
  const [observationsQueueUrl, deadLetterQueueUrl, clusterStepsQueueUrl, clusterStepsDeadLetterQueueUrl] =
    await Promise.all([
      queue('observations', { VisibilityTimeout }),
      queue('observations-dead-letters'),
      queue('cluster-steps', { VisibilityTimeout }),
      queue('cluster-steps-dead-letters'),
      createTable(dynamodbUrl, describeResourceTable(resourceTable)),
    ]);
  const queues = {
    ...{ observationsQueueUrl, deadLetterQueueUrl, clusterStepsQueueUrl, clusterStepsDeadLetterQueueUrl },
  };
  const deliver = sendToQueue(queues.observationsQueueUrl, sqsUrl);
  const log = (line: string) => options.log('event-bus', line);
  const tasks = {
    provider,
    clusterArns: [`arn:aws:ecs:${homeRegion(options)}:${account}:cluster/${provider}`],
  };
  const rules = [{ name: 'instance-events', patterns: eventPatternsOf(account, tasks), deliver }];
  const { url: eventsUrl } = await use(startEventBus({ log, buses: [{ name: 'default', account, rules }] }));
  return {
    ...{ dynamodbUrl, resourceTable, sqsUrl, ...queues, eventsUrl },
    ...(await startServices(options, eventsUrl, use)),
  };
};

type Services = Pick<
  Aws,
  'ssmUrl' | 'serviceQuotasUrl' | 'ec2Url' | 'ecsUrl' | 'eksUrl' | 'ec2' | 'ecs' | 'eks'
>;

const noEmulators = {
  ...{ ssmUrl: undefined, serviceQuotasUrl: undefined, ecsUrl: undefined, eksUrl: undefined },
  ...{ ec2: undefined, ecs: undefined, eks: undefined },
};

/** EC2, and the services that are emulated together with it. */
const startServices = async (options: StackOptions, eventsUrl: string, use: Use): Promise<Services> => {
  const { ec2Endpoint, progress } = options;
  if (ec2Endpoint !== undefined) {
    progress('aws', 'there are no containers and clusters: they need the emulators of EC2, ECS and EKS');
    return { ...noEmulators, ec2Url: ec2Endpoint === 'aws' ? undefined : ec2Endpoint };
  }
  const ec2 = await use(startEc2(options, eventsUrl));
  const [ssm, serviceQuotas, ecs, eks] = await Promise.all([
    use(startSsm()),
    use(startServiceQuotas({ vcpus: 10_000 })),
    use(startEcs(options, eventsUrl, ec2)),
    use(startEks(options)),
  ]);
  return {
    ...{ ssmUrl: ssm.url, serviceQuotasUrl: serviceQuotas.url },
    ...{ ec2Url: ec2.url, ecsUrl: ecs.url, eksUrl: eks.url },
    ...{ ec2, ecs, eks },
  };
};

const startEc2 = ({ dwellMs, ec2Faults, onTransition, log }: StackOptions, eventsUrl: string) =>
  startEc2Simulator({
    account,
    emit: forwardToBus(eventsUrl),
    log: (line) => log('ec2', line),
    faults: { silentRegions: [silentRegion], ...ec2Faults },
    ...(dwellMs && { dwellMs }),
    ...(onTransition && { onTransition }),
  });

/** Its one ECS cluster is named as a deployment names the one that it makes. */
const startEcs = ({ ecs, log }: StackOptions, eventsUrl: string, { network }: Ec2Simulator) =>
  startEcsEmulator({
    account,
    clusters: [provider],
    network,
    emit: forwardToBus(eventsUrl),
    log: (line) => log('ecs', line),
    ...ecs,
    faults: { silentRegions: [silentRegion], ...ecs?.faults },
  });

const startEks = ({ eks }: StackOptions) =>
  startEksEmulator({ account, subnets: subnetsOf, ...eks, dwellMs: { ...eksDwellMs, ...eks?.dwellMs } });

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
