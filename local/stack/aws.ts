import { eventPatternsOf } from '../../shared/service-types/events.ts';
import { createTable, resourceTable as describeResourceTable, startDynamoDb } from '../emulators/dynamodb.ts';
import { type Ec2Simulator, startEc2Simulator } from '../emulators/ec2/start-ec2-simulator.ts';
import { sendToQueue } from '../emulators/event-bus/delivery.ts';
import { forwardToBus, startEventBus } from '../emulators/event-bus/start-event-bus.ts';
import { startServiceQuotas } from '../emulators/service-quotas.ts';
import { createQueue, startSqs } from '../emulators/sqs.ts';
import { startSsm } from '../emulators/ssm.ts';
import type { Use } from '../processes/disposables.ts';
import { account, httpUrlOf, provider, type StackOptions, silentRegion } from './options.ts';

export type Aws = {
  readonly dynamodbUrl: string;
  readonly resourceTable: string;
  readonly sqsUrl: string;
  readonly observationsQueueUrl: string;
  readonly deadLetterQueueUrl: string;
  readonly eventsUrl: string;
  /** This and the next are undefined where another EC2 is used, which has its own images and quotas. */
  readonly ssmUrl: string | undefined;
  readonly serviceQuotasUrl: string | undefined;
  /** undefined: EC2 itself. */
  readonly ec2Url: string | undefined;
  /** undefined where another EC2 is used. */
  readonly ec2: Ec2Simulator | undefined;
};

/**
 * Starts AWS's side without Lambda: the table, the queues, the event bus with its rules, and EC2 with its images and quotas.
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
  const [observationsQueueUrl, deadLetterQueueUrl] = await Promise.all([
    createQueue(sqsUrl, `${provider}-observations`, { VisibilityTimeout }),
    createQueue(sqsUrl, `${provider}-observations-dead-letters`),
    createTable(dynamodbUrl, describeResourceTable(resourceTable)),
  ]);
  const deliver = sendToQueue(observationsQueueUrl, sqsUrl);
  const log = (line: string) => options.log('event-bus', line);
  const rules = [{ name: 'instance-events', patterns: eventPatternsOf(account), deliver }];
  const { url: eventsUrl } = await use(startEventBus({ account, log, rules }));
  const isOtherEc2 = ec2Endpoint !== undefined;
  const ssm = isOtherEc2 ? undefined : await use(startSsm());
  const serviceQuotas = isOtherEc2 ? undefined : await use(startServiceQuotas({ vcpus: 10_000 }));
  const ec2 = isOtherEc2 ? undefined : await use(startEc2(options, eventsUrl));
  const ec2Url = ec2Endpoint === 'aws' ? undefined : (ec2Endpoint ?? ec2?.url);
  const queues = { observationsQueueUrl, deadLetterQueueUrl };
  return {
    dynamodbUrl,
    resourceTable,
    sqsUrl,
    ...queues,
    eventsUrl,
    ssmUrl: ssm?.url,
    serviceQuotasUrl: serviceQuotas?.url,
    ec2Url,
    ec2,
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
