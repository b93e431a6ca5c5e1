import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { arnPrefixPattern } from '../../shared/adapters/aws/regions.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { functionNames, inventoryFunctions } from '../function-names.ts';
import { Accounts, externalId, Organization } from './accounts.ts';
import { Agent } from './agent.ts';
import { Clusters } from './clusters.ts';
import { Console } from './console.ts';
import { Containers } from './containers.ts';
import { Inventory } from './inventory.ts';
import { Api, ControlPlane, Provisioning } from './provisioning.ts';
import { createdTypes } from './service-types.ts';
import { count, identifier, region, secretName, text, zone } from './setting-kinds.ts';
import { Usage } from './usage.ts';

const longestFunctionName = 64;
const longestProviderOf = (functions: readonly string[]): number =>
  longestFunctionName - Math.max(...functions.map((name) => `-${name}`.length));

const clusterFunction = 'cluster-steps';
const longestProvider = longestProviderOf(
  functionNames.filter((name) => name !== clusterFunction && !inventoryFunctions.has(name)),
);
/** In a deployment with clusters, which alone has their function. */
export const longestProviderOfClusters = longestProviderOf([clusterFunction]);
/** In a deployment with an inventory. */
export const longestProviderOfInventory = longestProviderOf([...inventoryFunctions]);
const retentionDays = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days < RetentionDays.INFINITE,
);

const tagKey = (key: keyof TagKeys, meaning: string) =>
  TagKeys.shape[key].register(z.globalRegistry, { description: `Key of the tag ${meaning}.` });

const stackTagKey = text(
  /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu,
  'must be the key of an AWS tag and must not begin with aws:',
);

const Vpc = z.strictObject({
  vpcId: identifier('vpc', 'a VPC id').describe('The VPC from which NATS is reached.'),
  subnetIds: z
    .array(identifier('subnet', 'a subnet id'))
    .min(1, 'must list at least one subnet')
    .describe(
      'Subnets for the nats-bridge; use two in different zones, so that it survives the loss of a zone.',
    ),
  availabilityZones: z
    .array(zone)
    .describe('The zone of each subnet, in the same order. A setting, because synthesis does not call AWS.'),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .min(1, 'must list at least one security group, or be omitted')
    .optional()
    .describe('Security groups of the nats-bridge. Default: a new group, which is an output of the stack.'),
  secretsManagerEndpoint: z
    .enum(['existing', 'create'], 'must be "existing" or "create"')
    .default('existing')
    .describe(
      '`existing`: the subnets already have a route to Secrets Manager (an endpoint, or NAT). `create`: the stack creates an endpoint that only the nats-bridge may use. Do not use `create` in a VPC where other workloads use Secrets Manager.',
    ),
});

const Nats = z.strictObject({
  urls: z
    .array(
      text(/^(nats|tls):\/\/[^\s/@,]+$/, 'must be nats://HOST:PORT or tls://HOST:PORT, without credentials'),
    )
    .min(1, 'must list at least one NATS server')
    .describe('URLs of the servers of DCM’s NATS cluster.'),
  credentialsSecret: secretName
    .optional()
    .describe(
      'Name of the secret in the home region that contains the NATS credentials. Omit it if NATS needs none.',
    ),
  vpc: Vpc.optional(),
});

/**
 * All settings of a deployment, each validated by itself; contradictions.ts compares them with each other. docs/configuration.md is
 * generated from this.
 */
export const Settings = z.strictObject({
  provider: z
    .strictObject({
      name: text(
        /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/,
        'must be lower-case letters, digits and inner hyphens',
      )
        .max(longestProvider, `must have at most ${longestProvider} characters: function names begin with it`)
        .default('ec2-sp')
        .describe('The provider’s name at DCM. The names of all stacks, functions and alarms begin with it.'),
    })
    .prefault({}),
  homeRegion: region.describe('The region where all functions run. Its instances are reported.'),
  streamingRegions: z
    .array(region)
    .default([])
    .describe('Other regions whose instances are reported. Their events are forwarded to the home region.'),
  legacyRegions: z
    .array(region)
    .default([])
    .describe('Regions whose instances are reported and that cannot forward events. They are polled.'),
  nats: Nats,
  tags: z
    .strictObject({
      managedBy: tagKey('managedBy', 'that is `dcm` on every instance of DCM'),
      instanceId: tagKey('instanceId', 'that holds the DCM id'),
      provider: tagKey('provider', 'that holds the name of the provider an instance belongs to'),
      serviceType: tagKey('serviceType', 'that holds the DCM service type'),
      stack: z
        .record(stackTagKey, text(/^[\p{L}\p{Z}\p{N}_.:/=+@-]{0,256}$/u, 'must be the value of an AWS tag'))
        .refine((tags) => Object.keys(tags).length <= 50, 'must have at most 50 tags')
        .default({})
        .describe(
          'Tags of the stacks, as `{ "cost-centre": "1234" }`. CloudFormation gives them to every resource that takes tags; VMs do not get them.',
        ),
    })
    .refine(({ stack, ...keys }) => new Set(Object.values(keys)).size === 4, 'must be four different keys')
    .prefault({}),
  deletionProtection: z
    .boolean()
    .default(true)
    .describe(
      'Whether CloudFormation refuses to delete the stacks, and DynamoDB the table ([how to remove them](deploy.md#remove-it)).',
    ),
  logRetentionDays: z
    .number(`must be one of ${retentionDays.join(', ')}`)
    .refine((days) => retentionDays.includes(days), `must be one of ${retentionDays.join(', ')}`)
    .default(RetentionDays.ONE_MONTH)
    .describe(`How long logs are kept: one of ${retentionDays.join(', ')} days.`),
  normaliser: z
    .strictObject({
      maximumConcurrency: count(2, 1000)
        .default(20)
        .describe(
          'Maximum number of concurrent normalisers, from 2 to 1000. Also the maximum number of connections to NATS.',
        ),
    })
    .prefault({}),
  polling: z
    .strictObject({
      floorSeconds: count(10, 300)
        .default(10)
        .describe(
          'Seconds between two listings of a legacy region while its instances change, from 10 to 300. A quiet region is listed every 300 seconds.',
        ),
    })
    .prefault({}),
  provisioning: Provisioning.optional(),
  containers: Containers.optional(),
  clusters: Clusters.optional(),
  api: Api.optional(),
  agent: Agent.optional(),
  agents: z
    .record(region, Agent)
    .optional()
    .describe(
      'The environment agent of each region, if VMs are created in several regions; each with the settings of `agent`.',
    ),
  controlPlane: ControlPlane.optional(),
  accounts: Accounts.optional(),
  externalId: z.optional(externalId),
  organization: Organization.optional(),
  inventory: Inventory.optional(),
  usage: Usage.optional(),
  console: Console.optional(),
  dashboard: z
    .boolean()
    .default(true)
    .describe(
      'Whether the stack of the home region has a CloudWatch dashboard ([operations.md](operations.md#the-dashboard)), for which AWS charges after the first three of an AWS account.',
    ),
  canary: z
    .boolean()
    .default(false)
    .describe(
      'Whether a canary runs each minute: a dry run of a VM of defaults in the home region, and a message through the observations queue to JetStream, which publishes nothing ([operations.md](operations.md#the-canary)). It needs `api.tokenSecret`, and `provisioning` in the home region.',
    ),
  alarms: z
    .strictObject({
      emailOrTopicArn: text(
        new RegExp(`^([^@\\s]+@[^@\\s]+\\.[^@\\s]+|${arnPrefixPattern}:sns:[a-z0-9-]+:\\d{12}:[\\w-]+)$`),
        'must be an e-mail address or the ARN of an SNS topic',
      )
        .optional()
        .describe(
          'Where alarms are sent. An e-mail address must confirm one subscription for each region; an SNS topic must be in the home region and gets only its alarms. Omitted: alarms only change their state.',
        ),
    })
    .prefault({}),
});
export type Settings = z.infer<typeof Settings>;
export type VpcSettings = z.infer<typeof Vpc>;

/** The keys of the ownership tags, as the functions need them. */
export const tagKeysOf = ({ tags: { stack, ...keys } }: Settings): TagKeys => keys;

type With<Key extends keyof Settings> = Settings & { readonly [Each in Key]: NonNullable<Settings[Each]> };
/** Settings with which resources of at least one service type can be created. */
export type CreationSettings = With<'api'>;

export const canCreate = (settings: Settings): settings is CreationSettings =>
  settings.api !== undefined && createdTypes(settings).length > 0;
