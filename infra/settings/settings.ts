import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { arnPrefixPattern } from '../../shared/adapters/aws/regions.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { functionNames } from '../bundle.ts';
import { Agent } from './agent.ts';
import { Api, ControlPlane, Provisioning } from './provisioning.ts';
import { count, identifier, region, secretName, text, zone } from './setting-kinds.ts';

const longestFunctionName = 64;
const longestProvider = longestFunctionName - Math.max(...functionNames.map((name) => `-${name}`.length));
const retentionDays = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days < RetentionDays.INFINITE,
);

const tagKey = (key: keyof TagKeys, meaning: string) =>
  TagKeys.shape[key].register(z.globalRegistry, { description: `Key of the tag ${meaning}.` });

const stackTagKey = text(
  /^(?!aws:)[\p{L}\p{Z}\p{N}_.:/=+@-]{1,128}$/iu,
  'must be the key of an AWS tag, and not begin with aws:',
);

const Vpc = z.strictObject({
  vpcId: identifier('vpc', 'a VPC id').describe('The VPC from which NATS is reached.'),
  subnetIds: z
    .array(identifier('subnet', 'a subnet id'))
    .min(1, 'must list at least one subnet')
    .describe('Its subnets for the nats-bridge; two in different zones survive the loss of one.'),
  availabilityZones: z
    .array(zone)
    .describe('The zone of each subnet, in the same order. Written here so that synthesis asks AWS nothing.'),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .min(1, 'must list at least one security group, or be left out')
    .optional()
    .describe('Security groups of the nats-bridge. Left out: a new one, which is an output of the stack.'),
  secretsManagerEndpoint: z
    .enum(['existing', 'create'], 'must be "existing" or "create"')
    .default('existing')
    .describe(
      'Whether Secrets Manager can be reached from the subnets already (an endpoint, or NAT). `create` makes an endpoint that only the nats-bridge may use, so not where others in the VPC use Secrets Manager.',
    ),
});

const Nats = z.strictObject({
  urls: z
    .array(
      text(/^(nats|tls):\/\/[^\s/@,]+$/, 'must be nats://HOST:PORT or tls://HOST:PORT, without credentials'),
    )
    .min(1, 'must list at least one NATS server')
    .describe('Servers of one NATS cluster, the one that DCM listens to.'),
  credentialsSecret: secretName
    .optional()
    .describe(
      'Name of the secret in the home region that holds the NATS credentials. Left out: none are needed.',
    ),
  vpc: Vpc.optional(),
});

/**
 * Everything that a deployment can choose, each setting right in itself; settings-contradictions.ts holds them against each other.
 * docs/configuration.md is made from this.
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
        .describe('Our name at DCM. It begins the name of everything that is deployed.'),
    })
    .prefault({}),
  homeRegion: region.describe('Where everything runs, and whose instances are reported.'),
  streamingRegions: z
    .array(region)
    .default([])
    .describe('Other regions whose instances are reported: their events are forwarded to the home region.'),
  legacyRegions: z
    .array(region)
    .default([])
    .describe('Regions whose instances are reported and that cannot forward events: they are polled.'),
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
          'How many normalisers run at once, from 2 to 1000; so also how many connections NATS gets.',
        ),
    })
    .prefault({}),
  polling: z
    .strictObject({
      floorSeconds: count(10, 300)
        .default(10)
        .describe(
          'Seconds from one listing of a legacy region to the next while something changes there, from 10 to 300; a quiet region is listed every 300.',
        ),
    })
    .prefault({}),
  provisioning: Provisioning.optional(),
  api: Api.optional(),
  agent: Agent.optional(),
  agents: z
    .record(region, Agent)
    .optional()
    .describe(
      'Where VMs are created in several regions: the environment agent of each, by region, with the settings of `agent`.',
    ),
  controlPlane: ControlPlane.optional(),
  alarms: z
    .strictObject({
      emailOrTopicArn: text(
        new RegExp(`^([^@\\s]+@[^@\\s]+\\.[^@\\s]+|${arnPrefixPattern}:sns:[a-z0-9-]+:\\d{12}:[\\w-]+)$`),
        'must be an e-mail address or the ARN of an SNS topic',
      )
        .optional()
        .describe(
          'Who hears of alarms. An e-mail address is asked for its consent once a region; a topic of the home region hears of the alarms there. Left out: alarms only change their state.',
        ),
    })
    .prefault({}),
});
export type Settings = z.infer<typeof Settings>;
export type VpcSettings = z.infer<typeof Vpc>;

/** The keys of the tags by which instances are known, as the functions take them. */
export const tagKeysOf = ({ tags: { stack, ...keys } }: Settings): TagKeys => keys;

type With<Key extends keyof Settings> = Settings & { readonly [Each in Key]: NonNullable<Settings[Each]> };
/** Settings with which VMs can be created. */
export type ProvisioningSettings = With<'provisioning' | 'api'>;

export const canProvision = (settings: Settings): settings is ProvisioningSettings =>
  settings.provisioning !== undefined && settings.api !== undefined;
