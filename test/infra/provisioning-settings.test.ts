import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import { provisioningSettings as least, leastSettings, vpc } from './synthesized.ts';

const { provisioning, api, controlPlane } = least;
const withProvisioning = (more: object) => ({ ...least, provisioning: { ...provisioning, ...more } });
const inIreland = (network: object) => withProvisioning({ regions: { 'eu-west-1': network } });
const withApi = (more: object) => ({ ...least, api: { ...api, ...more } });
const withControlPlane = (more: object) => ({ ...least, controlPlane: { ...controlPlane, ...more } });
const jwt = { issuer: 'https://issuer.test', audience: 'dcm', jwksUrl: 'https://issuer.test/keys' };

describe('settings to create VMs', () => {
  it("require only a region, the API's credentials and the address of DCM", () => {
    const settings = parseSettings(least);

    expect(settings.provisioning).toEqual({
      regions: {
        'eu-west-1': {
          subnets: [],
          securityGroupIds: [],
          allowedSubnetIds: [],
          allowedSecurityGroupIds: [],
        },
      },
      images: {},
      allowedImageOwners: [],
      families: ['t3', 'm7i', 'c7i', 'r7i'],
      maximumVms: 100,
      maximumVcpus: 16,
      maximumMemoryGib: 64,
      maximumDiskGib: 1024,
      publicAddresses: false,
      instanceProfiles: [],
      spot: false,
      spotEndsAs: 'FAILED',
      changeAdopted: false,
    });
    expect(settings.api).toEqual({
      tokenSecret: 'dcm/api',
      throttling: { rate: 50, burst: 100 },
    });
    expect(settings.controlPlane).toEqual({
      url: 'http://dcm.test:8080',
      endpointCredentials: false,
      vpc: false,
    });
  });

  it.each([
    ['without DCM, if the provider is registered by hand', { ...leastSettings, provisioning, api }],
    ['with tokens of an issuer only', { ...least, api: { jwt } }],
    [
      'in a streaming region only',
      { ...withProvisioning({ regions: { 'us-east-1': {} } }), streamingRegions: ['us-east-1'] },
    ],
    [
      'in a legacy region too',
      {
        ...withProvisioning({ regions: { 'eu-west-1': {}, 'me-south-1': {} } }),
        legacyRegions: ['me-south-1'],
      },
    ],
    [
      'in Local Zones and Wavelength Zones',
      inIreland({
        subnets: ['eu-west-1a', 'eu-west-1-lon-1a', 'eu-west-1-wl1-dub-wlz-1'].map((zone) => ({
          id: 'subnet-0123456789abcdef0',
          zone,
        })),
      }),
    ],
    [
      'with images of every source',
      withProvisioning({
        images: {
          rhel: { ssmParameter: '/images/rhel', sshUser: 'ec2-user' },
          fedora: { owner: '125523088429', name: 'Fedora-*' },
          own: { imageId: 'ami-0123456789abcdef0' },
        },
      }),
    ],
  ])('may be %s', (_, settings) => {
    expect(() => parseSettings(settings)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    ['no region', withProvisioning({ regions: {} }), '"provisioning.regions" must have at least one region'],
    [
      'a region that is not a region of AWS',
      withProvisioning({ regions: { Ireland: {} } }),
      '"provisioning.regions.Ireland" must be an AWS region, such as eu-west-1',
    ],
    [
      'a region that is not reported',
      withProvisioning({ regions: { 'us-east-1': {} } }),
      '"provisioning.regions.us-east-1" must be the home region, or be listed in streamingRegions or legacyRegions',
    ],
    [
      'a subnet that is not an id',
      inIreland({ subnets: [{ id: 'private', zone: 'eu-west-1a' }] }),
      '"provisioning.regions.eu-west-1.subnets[0].id" must be a subnet id, such as subnet-0123456789abcdef0',
    ],
    [
      'a subnet of another region',
      inIreland({ subnets: [{ id: 'subnet-0123456789abcdef0', zone: 'us-east-1a' }] }),
      '"provisioning.regions.eu-west-1.subnets" must be in zones of eu-west-1',
    ],
    [
      'a security group by its name',
      inIreland({ securityGroupIds: ['default'] }),
      '"provisioning.regions.eu-west-1.securityGroupIds[0]" must be a security group id, such as sg-0123456789abcdef0',
    ],
    [
      'an owner of images by its name',
      withProvisioning({ allowedImageOwners: ['canonical'] }),
      '"provisioning.allowedImageOwners[0]" must be an AWS account id, amazon (AWS and verified providers) or aws-marketplace',
    ],
    [
      'a key by its alias',
      inIreland({ kmsKeyId: 'alias/disks' }),
      '"provisioning.regions.eu-west-1.kmsKeyId" must be the ARN of a KMS key, such as arn:aws:kms:eu-west-1:123456789012:key/…',
    ],
    [
      'a key of another region',
      inIreland({ kmsKeyId: 'arn:aws:kms:us-east-1:123456789012:key/1' }),
      '"provisioning.regions.eu-west-1.kmsKeyId" must be a key in eu-west-1',
    ],
    [
      'an image without a source',
      withProvisioning({ images: { rhel: { sshUser: 'root' } } }),
      '"provisioning.images.rhel" must have an ssmParameter, or an owner and a name, or an imageId, and optionally an sshUser',
    ],
    [
      'no family',
      withProvisioning({ families: [] }),
      '"provisioning.families" must list at least one instance family',
    ],
    [
      'a family that EC2 does not have',
      withProvisioning({ families: ['t3', 'm7x'] }),
      '"provisioning.families[1]" must be an instance family of EC2: "m7x" is not known; did you mean "m7i"?',
    ],
    [
      'a family in capitals',
      withProvisioning({ families: ['T3'] }),
      '"provisioning.families[0]" must be an instance family of EC2: "T3" is not known; did you mean "t3"?',
    ],
    [
      'a misspelt key of a region',
      inIreland({ subnet: [] }),
      '"provisioning.regions.eu-west-1.subnet" is unknown; did you mean "subnets"?',
    ],
    [
      'a region that AWS does not have',
      withProvisioning({ regions: { 'eu-west-9': {} } }),
      '"provisioning.regions.eu-west-9" must be an AWS region: "eu-west-9" is not known; did you mean "eu-west-1"?',
    ],
    [
      'a subnet in a Local Zone of another region',
      inIreland({ subnets: [{ id: 'subnet-0123456789abcdef0', zone: 'us-west-2-lax-1a' }] }),
      '"provisioning.regions.eu-west-1.subnets" must be in zones of eu-west-1',
    ],
    [
      'a type for a family',
      withProvisioning({ families: ['t3.micro'] }),
      '"provisioning.families[0]" must be an instance family, such as m7i',
    ],
    [
      'a VM without a vCPU',
      withProvisioning({ maximumVcpus: 0 }),
      '"provisioning.maximumVcpus" must be at least 1',
    ],
    [
      'a fraction of a GiB',
      withProvisioning({ maximumDiskGib: 0.5 }),
      '"provisioning.maximumDiskGib" must be a whole number from 1 to 65536',
    ],
    ['a text for true', withProvisioning({ spot: 'yes' }), '"provisioning.spot" must be true or false'],
    [
      'a profile without its role',
      withProvisioning({ instanceProfiles: [{ profile: 'web' }] }),
      '"provisioning.instanceProfiles[0].roleArn" is missing: it must be the ARN of an IAM role',
    ],
    [
      'a wildcard for a role',
      withProvisioning({
        instanceProfiles: [{ profile: 'web', roleArn: 'arn:aws:iam::123456789012:role/*' }],
      }),
      '"provisioning.instanceProfiles[0].roleArn" must be the ARN of an IAM role',
    ],
    [
      'provisioning without an API',
      { ...leastSettings, provisioning },
      '"api" must be set with provisioning: it says who may create VMs, such as { "tokenSecret": "dcm/ec2-sp-api" }',
    ],
    [
      'an API without credentials',
      { ...least, api: {} },
      '"api" must have a tokenSecret, a jwt, or both: the API always authenticates its callers',
    ],
    [
      'the ARN of the token',
      withApi({ tokenSecret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:api-AbCdEf' }),
      '"api.tokenSecret" must be the name of a secret in Secrets Manager, not its ARN',
    ],
    [
      'keys over plain HTTP',
      withApi({ jwt: { ...jwt, jwksUrl: 'http://issuer.test/keys' } }),
      '"api.jwt.jwksUrl" must be an https:// URL',
    ],
    [
      'a rate of no requests',
      withApi({ throttling: { rate: 0 } }),
      '"api.throttling.rate" must be at least 1',
    ],
    [
      'an API without provisioning',
      { ...leastSettings, api },
      '"api" must be omitted without provisioning, containers and clusters',
    ],
    [
      'a control plane without provisioning',
      { ...leastSettings, controlPlane },
      '"controlPlane" must be omitted without provisioning, containers and clusters: there is nothing to register',
    ],
    ...[
      'dcm.test',
      'https://user:secret@dcm.test',
      'https://dcm.test/api',
      'https://dcm.test?x',
      'ftp://dcm.test',
    ].map((url): [string, unknown, string] => [
      `DCM at ${url}`,
      withControlPlane({ url }),
      '"controlPlane.url" must be http://HOST or https://HOST, optionally with a port, without credentials and without a path',
    ]),
    [
      'a token in the endpoint without a token secret',
      { ...least, api: { jwt }, controlPlane: { url: 'https://dcm.test', endpointCredentials: true } },
      '"controlPlane.endpointCredentials" must be false without api.tokenSecret',
    ],
    [
      'a token in the endpoint that is sent to DCM without TLS (X 3)',
      withControlPlane({ endpointCredentials: true }),
      `"controlPlane.url" must be https:// with controlPlane.endpointCredentials: the API's token is sent there`,
    ],
    [
      'a token in an endpoint without TLS (X 3)',
      withControlPlane({
        ...{ url: 'https://dcm.test', publicUrl: 'http://vms.test' },
        endpointCredentials: true,
      }),
      `"controlPlane.publicUrl" must be https:// with controlPlane.endpointCredentials: the API's token is sent there`,
    ],
    [
      'a VPC without nats.vpc',
      withControlPlane({ vpc: true }),
      '"controlPlane.vpc" must be false without nats.vpc',
    ],
  ])('refuse %s in one sentence', (_, settings, sentence) => {
    expect(refusalOf(() => parseSettings(settings))).toBe(
      `Setting ${sentence}${sentence.endsWith('?') ? '' : '.'}`,
    );
  });

  it('can put the registration into the VPC of NATS', () => {
    const nats = { ...leastSettings.nats, vpc };

    expect(() => parseSettings({ ...withControlPlane({ vpc: true }), nats })).not.toThrow();
  });
});
