import * as z from 'zod';
import { arnPrefixPattern } from '../../shared/adapters/aws/regions.ts';
import {
  count,
  creationRegions,
  defaultFamilies,
  family,
  flag,
  identifier,
  origin,
  roleArn,
  secretName,
  text,
  zone,
} from './setting-kinds.ts';

const sshUser = text(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a user name, such as ec2-user').optional();
const nonEmpty = z.string('must be a text').min(1, 'must not be empty');

const imageRule =
  'must have an ssmParameter, or an owner and a name, or an imageId, and optionally an sshUser';
const ImageSource = z.union(
  [
    z.strictObject({
      ssmParameter: text(/^\/?[\w./-]+$/, 'must be the name of an SSM parameter'),
      sshUser,
    }),
    z.strictObject({ owner: nonEmpty, name: nonEmpty, sshUser }),
    z.strictObject({ imageId: identifier('ami', 'an image id'), sshUser }),
  ],
  imageRule,
);

const Network = z.strictObject({
  subnets: z
    .array(
      z.strictObject({
        id: identifier('subnet', 'a subnet id'),
        zone,
      }),
    )
    .default([])
    .describe(
      'Subnets of this region’s VMs, as `{ "id": …, "zone": … }`. Empty: EC2 chooses a subnet of the default VPC.',
    ),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .default([])
    .describe("Security groups of this region's VMs. Empty: the default group of the VPC."),
  allowedSubnetIds: z
    .array(identifier('subnet', 'a subnet id'))
    .default([])
    .describe('Subnets that the hint `subnet_id` may name, besides `subnets`.'),
  allowedSecurityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .default([])
    .describe('Security groups that the hint `security_group_ids` may name, besides `securityGroupIds`.'),
  kmsKeyId: text(
    new RegExp(`^${arnPrefixPattern}:kms:[a-z0-9-]+:\\d{12}:key/[\\w-]+$`),
    'must be the ARN of a KMS key, such as arn:aws:kms:eu-west-1:123456789012:key/…',
  )
    .optional()
    .describe(
      "ARN of the KMS key that encrypts the disks. Default: the account's default key for EBS. The policy of a customer managed key must allow the provider-api to use it, and for spot instances also the role AWSServiceRoleForEC2Spot.",
    ),
});

const InstanceProfile = z.strictObject({
  profile: nonEmpty,
  roleArn,
});

/** What may be created, and how. Without it the stack reports instances and creates none. */
export const Provisioning = z.strictObject({
  regions: creationRegions(Network, 'VMs'),
  images: z
    .record(nonEmpty, ImageSource)
    .default({})
    .describe(
      'The source of the image for each `guest_os.type`; these override the built-in catalogue. `{ "ssmParameter": … }`, `{ "owner": …, "name": … }` for the newest image of that owner with such a name (`*` is a wildcard), by the version in its name and then by its date, or `{ "imageId": … }`; each with an optional `sshUser`. The image that a parameter names must be the account’s own, or of an allowed owner.',
    ),
  allowedImageOwners: z
    .array(
      text(
        /^(\d{12}|amazon|aws-marketplace)$/,
        'must be an AWS account id, amazon (AWS and verified providers) or aws-marketplace',
      ),
    )
    .default([])
    .describe(
      'Owners of images that the hint `image_id` may name, besides the owners of the catalogue and of `images`: an account id, `aws-marketplace` or `amazon`. Add your own account if its images may be launched by their ids.',
    ),
  families: z
    .array(family)
    .min(1, 'must list at least one instance family')
    .default(defaultFamilies)
    .describe('Allowed instance families, the preferred one first.'),
  maximumVms: count(0, 100_000).default(100).describe('Maximum number of VMs, over all regions.'),
  maximumVcpus: count(1, 1_000).default(16).describe('Maximum number of vCPUs of one VM.'),
  maximumMemoryGib: count(1, 32_768).default(64).describe('Maximum memory of one VM, in GiB.'),
  maximumDiskGib: count(1, 65_536)
    .default(1024)
    .describe('Maximum size of all disks of one VM together, in GiB.'),
  publicAddresses: flag.default(false).describe('Whether VMs get a public IPv4 address.'),
  instanceProfiles: z
    .array(InstanceProfile)
    .default([])
    .describe(
      'IAM instance profiles that a hint may name, as `{ "profile": <name or ARN>, "roleArn": <ARN of its role> }`. The provider-api may pass these roles to VMs, and no others.',
    ),
  spot: flag.default(false).describe('Whether a hint may request a spot instance.'),
  spotEndsAs: z
    .enum(['FAILED', 'DELETED'], 'must be FAILED or DELETED')
    .default('FAILED')
    .describe(
      'The status of a VM whose spot instance EC2 has taken back. With `FAILED`, DCM deletes the whole run of the VM, its other resources included; with `DELETED` it keeps them. A spot instance that never ran is always `FAILED`.',
    ),
  changeAdopted: flag
    .default(false)
    .describe(
      'Whether the API may delete, stop, start and reboot instances that carry the tags of this provider but were not launched by it. By default they are only reported. With `true`, everyone who may tag instances decides what the API can terminate.',
    ),
});

/** The issuer whose tokens an API accepts. */
export const Jwt = z.strictObject({
  issuer: nonEmpty.describe('`iss` of accepted tokens.'),
  audience: nonEmpty.describe('`aud` of accepted tokens.'),
  jwksUrl: text(/^https:\/\/\S+$/, 'must be an https:// URL').describe('URL of the issuer’s keys (JWKS).'),
});

const credentials = (where: string) => ({
  tokenSecret: secretName
    .optional()
    .describe(
      `Name of the secret in the home region whose text is the token${where}, which callers send as bearer token or as the password of Basic authentication. Required without \`jwt\` beside it.`,
    ),
  jwt: Jwt.optional(),
});

/** Who may call the provider-api, and how often. */
export const Api = z.strictObject({
  ...credentials(''),
  throttling: z
    .strictObject({
      rate: count(1, 10_000)
        .default(50)
        .describe('Maximum rate of requests to the provider-api, per second.'),
      burst: count(1, 5_000).default(100).describe('Maximum burst of requests beyond that rate.'),
    })
    .prefault({}),
});

/** Who may call the provider-api about one account. */
export const AccountApi = z.strictObject(credentials(' for the targets of this account alone'));

/** A DCM of the older generation, whose control plane calls providers itself. */
export const ControlPlane = z.strictObject({
  url: origin.describe(
    'The URL of a control plane of DCM’s older generation, which has `/providers` itself. The provider is registered there. Today’s DCM registers providers only at environment agents: use `agent`.',
  ),
  publicUrl: origin
    .optional()
    .describe(
      'The URL at which DCM reaches the provider-api: your own domain. Default: the address of API Gateway.',
    ),
  endpointCredentials: flag
    .default(false)
    .describe(
      'Whether the registered endpoint contains the token of `api.tokenSecret`, which DCM’s clients then send. Everyone who can list DCM’s providers can read it.',
    ),
  vpc: flag
    .default(false)
    .describe(
      'Whether DCM is reached from the VPC of `nats.vpc`. Its subnets then also need a route to DynamoDB, such as a gateway endpoint.',
    ),
});
