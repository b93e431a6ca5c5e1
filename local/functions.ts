import type { Env as NatsBridgeEnv } from '../functions/nats-bridge/env.ts';
import type { Env as NormaliserEnv } from '../functions/normaliser/env.ts';
import type { PolledRegion, Env as PollerEnv } from '../functions/poller/env.ts';
import { bundleFolder, type FunctionName } from '../infra/bundle.ts';
import { TagKeys } from '../shared/domain/tags.ts';
import type { Aws } from './aws.ts';
import { type StackOptions, silentRegion } from './options.ts';
import type { LambdaFunction } from './parts/lambda-host/lambda-function.ts';

export type Wiring = {
  readonly provider: string;
  readonly aws: Omit<Aws, 'dynamoDb' | 'ec2' | 'eventsUrl'>;
  readonly natsUrl: string;
  readonly lambdaUrl: string;
  readonly options: Pick<StackOptions, 'ec2Endpoint' | 'pollFloorSeconds'>;
};

export const functionName = (provider: string, box: FunctionName): string => `${provider}-${box}`;

/**
 * The functions as infra/ deploys them, wired to the laptop's parts. Where they differ from AWS is in what an SDK client reads from its
 * environment, nowhere else.
 */
export const localFunctions = (wiring: Wiring): LambdaFunction[] => {
  const { provider, aws, natsUrl, options } = wiring;
  const identity = { PROVIDER_NAME: provider, TAG_KEYS: JSON.stringify(TagKeys.parse({})) };
  const stores = { FLEET_TABLE: aws.fleetTable, OBSERVATIONS_QUEUE_URL: aws.observationsQueueUrl };
  return [
    {
      ...named(provider, 'normaliser'),
      memoryMb: 512,
      concurrency: 2,
      environment: {
        ...awsClients(wiring),
        ...powertools('normaliser'),
        ...({
          ...identity,
          ...stores,
          NATS_BRIDGE: functionName(provider, 'nats-bridge'),
          DEAD_LETTER_QUEUE_URL: aws.deadLetterQueueUrl,
        } satisfies NormaliserEnv),
      },
    },
    {
      ...named(provider, 'nats-bridge'),
      concurrency: 2,
      environment: {
        ...powertools('nats-bridge'),
        ...({ NATS_URL: natsUrl } satisfies NatsBridgeEnv),
      },
    },
    {
      ...named(provider, 'poller'),
      memoryMb: 512,
      environment: {
        ...awsClients(wiring),
        ...powertools('poller'),
        ...({
          ...identity,
          ...stores,
          REGIONS: JSON.stringify(polledRegions(options)),
          POLL_FLOOR_SECONDS: String(options.pollFloorSeconds ?? 10),
        } satisfies PollerEnv),
      },
    },
  ];
};

/** The simulator's regions; another EC2 sends no events here, so all there is of it is what polling shows. */
const polledRegions = ({ ec2Endpoint }: Wiring['options']): PolledRegion[] =>
  ec2Endpoint
    ? [{ region: process.env.AWS_REGION ?? 'us-east-1', kind: 'legacy' }]
    : [
        { region: 'us-east-1', kind: 'streaming' },
        { region: silentRegion, kind: 'legacy' },
      ];

const named = (provider: string, box: FunctionName) => ({
  name: functionName(provider, box),
  folder: bundleFolder(box),
  timeoutMs: box === 'nats-bridge' ? 10_000 : 15_000,
  warm: true,
});

const powertools = (box: string) => ({
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', // about the laptop's Node, not Lambda's
  NODE_OPTIONS: '--enable-source-maps',
  POWERTOOLS_SERVICE_NAME: box,
  POWERTOOLS_METRICS_NAMESPACE: 'DcmEc2ServiceProvider',
});

const awsClients = ({ aws, lambdaUrl }: Wiring): Record<string, string> => ({
  ...(aws.ec2Url === undefined ? ownAwsEnvironment() : { AWS_ENDPOINT_URL_EC2: aws.ec2Url }),
  AWS_ENDPOINT_URL_DYNAMODB: aws.dynamodbUrl,
  AWS_ENDPOINT_URL_SQS: aws.sqsUrl,
  AWS_ENDPOINT_URL_LAMBDA: lambdaUrl,
});

const ownAwsEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && (name.startsWith('AWS_') || name === 'HOME') ? [[name, value]] : [],
    ),
  );
