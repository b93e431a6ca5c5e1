import * as z from 'zod';
import { arnPrefixPattern } from '../../shared/adapters/aws/regions.ts';
import {
  count,
  defaultFamilies,
  family,
  identifier,
  origin,
  region,
  secretName,
  text,
  zone,
} from './setting-kinds.ts';

const sshUser = text(/^[a-z_][a-z0-9_-]{0,31}$/, 'must be a user name, such as ec2-user').optional();
const nonEmpty = z.string('must be a text').min(1, 'must not be empty');

const imageRule =
  'must have an ssmParameter, or an owner and a name, or an imageId, and perhaps an sshUser, and nothing else';
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
      'Where VMs of this region are put, as `{ "id": …, "zone": … }`. None: EC2 chooses one of the default VPC.',
    ),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .default([])
    .describe("Security groups of this region's VMs. None: the default one of the VPC."),
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
      "ARN of the KMS key that encrypts the disks. Left out: the account's default for EBS; where that is a key of your own, its policy must let the provider-api use it. Spot instances start only where a key of your own also lets the role AWSServiceRoleForEC2Spot use it.",
    ),
});

const InstanceProfile = z.strictObject({
  profile: nonEmpty,
  roleArn: text(
    new RegExp(`^${arnPrefixPattern}:iam::\\d{12}:role/[\\w+=,.@/-]+$`),
    'must be the ARN of an IAM role',
  ),
});

/** What may be created, and how. Left out: the stack reports instances, and creates none. */
export const Provisioning = z.strictObject({
  regions: z
    .record(region, Network)
    .refine((regions) => Object.keys(regions).length > 0, 'must have at least one region')
    .describe('By region: where VMs can be created. DCM gets a provider for each.'),
  images: z
    .record(nonEmpty, ImageSource)
    .default({})
    .describe(
      'By `guest_os.type`: where its image comes from, before the built-in catalogue. `{ "ssmParameter": … }`, `{ "owner": …, "name": … }` for the newest image of that owner with such a name (`*` is a wildcard), by the version in its name and then by its date, or `{ "imageId": … }`; each with an `sshUser`, if there is one. The image that a parameter names must be the account’s own, or of an owner that is allowed.',
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
      'Owners of images that the hint `image_id` may name, besides the owners of the catalogue and of `images`: an account id, `aws-marketplace` or `amazon`. Name your own account here where its images may be launched by their ids.',
    ),
  families: z
    .array(family)
    .min(1, 'must list at least one instance family')
    .default(defaultFamilies)
    .describe('Instance families that are chosen from and allowed, the preferred first.'),
  maximumVms: count(0, 100_000).default(100).describe('VMs at once, over all regions.'),
  maximumVcpus: count(1, 1_000).default(16).describe('vCPUs of one VM.'),
  maximumMemoryGib: count(1, 32_768).default(64).describe('Memory of one VM, in GiB.'),
  maximumDiskGib: count(1, 65_536).default(1024).describe('All disks of one VM together, in GiB.'),
  publicAddresses: z
    .boolean('must be true or false')
    .default(false)
    .describe('Whether VMs get a public IPv4 address.'),
  instanceProfiles: z
    .array(InstanceProfile)
    .default([])
    .describe(
      'IAM instance profiles that a hint may ask for, as `{ "profile": <name or ARN>, "roleArn": <ARN of its role> }`. The provider-api may give these roles to VMs, and no others.',
    ),
  spot: z
    .boolean('must be true or false')
    .default(false)
    .describe('Whether a hint may ask for a spot instance.'),
  spotEndsAs: z
    .enum(['FAILED', 'DELETED'], 'must be FAILED or DELETED')
    .default('FAILED')
    .describe(
      'The status of a VM whose spot instance EC2 has taken back. With `FAILED`, DCM deletes the whole run of the VM, its other resources included; with `DELETED` it leaves them. A spot instance that never ran is always `FAILED`.',
    ),
  changeAdopted: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether instances that carry the tags of this provider, and that it did not launch, may be deleted, stopped, started and rebooted through the API. By default they are only reported. With `true`, everyone who may tag instances decides what the API can terminate.',
    ),
});

/** Who may call the provider-api, and how often. */
export const Api = z.strictObject({
  tokenSecret: secretName
    .optional()
    .describe(
      'Name of the secret in the home region whose text is the token: a bearer token, and the password of Basic. It, or `api.jwt`, or both.',
    ),
  jwt: z
    .strictObject({
      issuer: nonEmpty.describe('`iss` of accepted tokens.'),
      audience: nonEmpty.describe('`aud` of accepted tokens.'),
      jwksUrl: text(/^https:\/\/\S+$/, 'must be an https:// URL').describe(
        'Where the issuer shows its keys.',
      ),
    })
    .optional(),
  throttling: z
    .strictObject({
      rate: count(1, 10_000)
        .default(50)
        .describe('Requests a second that are let through to the provider-api.'),
      burst: count(1, 5_000).default(100).describe('Requests at once that are let through beyond that.'),
    })
    .prefault({}),
});

/** A DCM of the older generation, whose control plane calls providers itself. */
export const ControlPlane = z.strictObject({
  url: origin.describe(
    'A control plane of the older generation, which has `/providers` itself; the provider is registered there. Today’s DCM registers providers at environment agents alone: `agent`.',
  ),
  publicUrl: origin
    .optional()
    .describe(
      'Where DCM reaches the provider-api: a domain of your own that leads to it. Left out: the address that API Gateway gives it.',
    ),
  endpointCredentials: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether DCM is given the token of `api.tokenSecret` in the endpoint, which its clients then send. Whoever can list the providers of DCM reads it there.',
    ),
  vpc: z
    .boolean('must be true or false')
    .default(false)
    .describe(
      'Whether DCM is reached from the VPC of `nats.vpc`. Its subnets then need a way to DynamoDB too, such as a gateway endpoint.',
    ),
});
