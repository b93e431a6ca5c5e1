import { bundleFolder, type FunctionName } from '../infra/bundle.ts';
import { TagKeys } from '../shared/core/ownership.ts';
import type { Aws } from './aws.ts';
import type { Dcm } from './dcm.ts';
import { type StackOptions, silentRegion } from './options.ts';

/** What the functions are wired to. */
export type Wiring = {
  readonly provider: string;
  readonly aws: Omit<Aws, 'ec2' | 'eventsUrl'>;
  readonly natsUrl: string;
  readonly lambdaUrl: string;
  /** Where the provider-api answers. */
  readonly providerApiUrl: string;
  readonly dcm: Pick<Dcm, 'registryUrl' | 'agent'>;
  /** Path of the file with what may be created; a deployment has it beside the code. */
  readonly provisioningFile: string;
  /** Path of the file with where the provider is registered; a deployment has it beside the code. */
  readonly registriesFile: string;
  /** Of the emulated Secrets Manager, which has the secret `tokenSecret`. */
  readonly secretsUrl: string;
  readonly options: Pick<StackOptions, 'ec2Endpoint' | 'pollFloorSeconds'>;
};

/** Name of the secret that holds the token of the provider-api. */
export const tokenSecret = 'provider-api-token';

/** The region whose VMs have the bare collection: the simulator's, or where another EC2 is. */
export const homeRegion = ({ ec2Endpoint }: Wiring['options']): string =>
  ec2Endpoint ? (process.env.AWS_REGION ?? 'us-east-1') : 'us-east-1';

/** Where VMs are reported, and can be created. */
export const regions = (options: Wiring['options']): string[] =>
  options.ec2Endpoint ? [homeRegion(options)] : [homeRegion(options), silentRegion];

export const functionName = (provider: string, box: FunctionName): string => `${provider}-${box}`;

/** What all functions have in common. */
export const named = (provider: string, box: FunctionName) => ({
  name: functionName(provider, box),
  folder: bundleFolder(box),
  warm: true,
});

export const identity = (provider: string) => ({
  PROVIDER_NAME: provider,
  TAG_KEYS: JSON.stringify(TagKeys.parse({})),
});

export const powertools = (box: FunctionName) => ({
  AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true', // about the laptop's Node, not Lambda's
  NODE_OPTIONS: '--enable-source-maps',
  POWERTOOLS_SERVICE_NAME: box,
  POWERTOOLS_METRICS_NAMESPACE: 'DcmEc2ServiceProvider',
});

/** Where SDK clients find AWS: the stand-ins, and with another EC2 what belongs to it. */
export const awsClients = ({ aws, lambdaUrl, secretsUrl }: Wiring): Record<string, string> => ({
  ...(aws.ec2Url === undefined ? ownAwsEnvironment() : { AWS_ENDPOINT_URL_EC2: aws.ec2Url }),
  ...(aws.ssmUrl !== undefined && { AWS_ENDPOINT_URL_SSM: aws.ssmUrl }),
  ...(aws.serviceQuotasUrl !== undefined && { AWS_ENDPOINT_URL_SERVICE_QUOTAS: aws.serviceQuotasUrl }),
  AWS_ENDPOINT_URL_DYNAMODB: aws.dynamodbUrl,
  AWS_ENDPOINT_URL_SQS: aws.sqsUrl,
  AWS_ENDPOINT_URL_LAMBDA: lambdaUrl,
  AWS_ENDPOINT_URL_SECRETS_MANAGER: secretsUrl,
});

const ownAwsEnvironment = (): Record<string, string> =>
  Object.fromEntries(
    Object.entries(process.env).flatMap(([name, value]) =>
      value !== undefined && (name.startsWith('AWS_') || name === 'HOME') ? [[name, value]] : [],
    ),
  );
