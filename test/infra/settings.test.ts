import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { settingsReference } from '../../tools/settings-reference.ts';
import { refusalOf } from './refused.ts';
import { leastSettings, vpc } from './synthesized.ts';

const reference = new URL('../../docs/configuration.md', import.meta.url);
const changed = (settings: object) => ({ ...leastSettings, ...settings });
const withNats = (nats: object) => changed({ nats: { ...leastSettings.nats, ...nats } });
const topicElsewhere = 'arn:aws:sns:us-east-1:123456789012:operators';

describe('settings', () => {
  it('require only a home region and the address of NATS', () => {
    const settings = parseSettings(leastSettings);

    expect(settings).toEqual({
      ...leastSettings,
      provider: { name: 'ec2-sp' },
      streamingRegions: [],
      legacyRegions: [],
      tags: {
        managedBy: 'managed-by',
        instanceId: 'dcm-instance-id',
        provider: 'dcm-provider',
        serviceType: 'dcm-service-type',
        stack: {},
      },
      canary: false,
      deletionProtection: true,
      logRetentionDays: 30,
      normaliser: { maximumConcurrency: 20 },
      polling: { floorSeconds: 10 },
      dashboard: true,
      alarms: {},
    });
  });

  it.each<[string, unknown, string]>([
    ['no object', [], 'The whole of the settings must be an object.'],
    [
      'a key that does not exist',
      changed({ regoin: 'x' }),
      'Setting "regoin" is unknown; docs/configuration.md lists those that exist.',
    ],
    [
      'an inner key that does not exist',
      withNats({ url: 'x' }),
      'Setting "nats.url" is unknown; did you mean "urls"?',
    ],
    [
      'an unknown tag',
      changed({ tags: { owner: 'x' } }),
      'Setting "tags.owner" is unknown; docs/configuration.md lists those that exist.',
    ],
    [
      'a tag of the stacks that AWS reserves',
      changed({ tags: { stack: { 'aws:owner': 'x' } } }),
      'Setting "tags.stack.aws:owner" must be the key of an AWS tag and must not begin with aws:.',
    ],
    [
      'a tag of the stacks without a value',
      changed({ tags: { stack: { owner: null } } }),
      'Setting "tags.stack.owner" must be the value of an AWS tag.',
    ],
    [
      'no home region',
      { nats: leastSettings.nats },
      'Setting "homeRegion" is missing: it must be an AWS region, such as eu-west-1.',
    ],
    [
      'a home region that is not a region',
      changed({ homeRegion: 'Ireland' }),
      'Setting "homeRegion" must be an AWS region, such as eu-west-1.',
    ],
    ['no NATS', { homeRegion: 'eu-west-1' }, 'Setting "nats" is missing: it must be an object.'],
    [
      'no list of subnets',
      withNats({ vpc: { vpcId: vpc.vpcId } }),
      'Setting "nats.vpc.subnetIds" is missing: it must be a list.',
    ],
    [
      'a misspelt key, although the right one is missing too',
      { homeregion: 'eu-west-1', nats: leastSettings.nats },
      'Setting "homeregion" is unknown; did you mean "homeRegion"?',
    ],
    [
      'a home region that AWS does not have',
      changed({ homeRegion: 'eu-west-9' }),
      'Setting "homeRegion" must be an AWS region: "eu-west-9" is not known; did you mean "eu-west-1"?',
    ],
    [
      'a legacy region that AWS does not have',
      changed({ legacyRegions: ['us-east-7'] }),
      'Setting "legacyRegions[0]" must be an AWS region: "us-east-7" is not known; did you mean "us-east-1"?',
    ],
    [
      'a secret without a name',
      withNats({ credentialsSecret: '' }),
      'Setting "nats.credentialsSecret" must not be empty: name a secret in Secrets Manager, or omit the setting.',
    ],
    [
      'a tag key that AWS reserves',
      changed({ tags: { managedBy: 'aws:managed' } }),
      'Setting "tags.managedBy" must not begin with aws:, which is reserved for AWS.',
    ],
    [
      'a tag key that AWS reserves, in capitals',
      changed({ tags: { serviceType: 'AWS:type' } }),
      'Setting "tags.serviceType" must not begin with aws:, which is reserved for AWS.',
    ],
    ['no NATS server', withNats({ urls: [] }), 'Setting "nats.urls" must list at least one NATS server.'],
    ['a NATS server that is no list', withNats({ urls: 'nats://a' }), 'Setting "nats.urls" must be a list.'],
    [
      'another protocol',
      withNats({ urls: ['nats://a', 'http://b'] }),
      'Setting "nats.urls[1]" must be nats://HOST:PORT or tls://HOST:PORT, without credentials.',
    ],
    [
      'credentials in a URL',
      withNats({ urls: ['nats://user:secret@a'] }),
      'Setting "nats.urls[0]" must be nats://HOST:PORT or tls://HOST:PORT, without credentials.',
    ],
    [
      'the ARN of a secret',
      withNats({ credentialsSecret: 'arn:aws:secretsmanager:eu-west-1:123456789012:secret:nats-AbCdEf' }),
      'Setting "nats.credentialsSecret" must be the name of a secret in Secrets Manager, not its ARN.',
    ],
    [
      'a VPC that is not an id',
      withNats({ vpc: { ...vpc, vpcId: 'main' } }),
      'Setting "nats.vpc.vpcId" must be a VPC id, such as vpc-0123456789abcdef0.',
    ],
    [
      'no subnet',
      withNats({ vpc: { ...vpc, subnetIds: [] } }),
      'Setting "nats.vpc.subnetIds" must list at least one subnet.',
    ],
    [
      'too few zones',
      withNats({ vpc: { ...vpc, availabilityZones: ['eu-west-1a'] } }),
      'Setting "nats.vpc.availabilityZones" must list one zone for each of nats.vpc.subnetIds.',
    ],
    [
      'a zone of another region',
      withNats({ vpc: { ...vpc, availabilityZones: ['eu-west-1a', 'us-east-1a'] } }),
      'Setting "nats.vpc.availabilityZones" must list zones of eu-west-1, the home region.',
    ],
    [
      'no security group',
      withNats({ vpc: { ...vpc, securityGroupIds: [] } }),
      'Setting "nats.vpc.securityGroupIds" must list at least one security group, or be omitted.',
    ],
    [
      'another kind of endpoint',
      withNats({ vpc: { ...vpc, secretsManagerEndpoint: true } }),
      'Setting "nats.vpc.secretsManagerEndpoint" must be "existing" or "create".',
    ],
    [
      'an endpoint without a secret',
      withNats({ vpc: { ...vpc, secretsManagerEndpoint: 'create' } }),
      'Setting "nats.vpc.secretsManagerEndpoint" must be "existing" without nats.credentialsSecret: there is no secret to read.',
    ],
    [
      'a name with capitals',
      changed({ provider: { name: 'EC2' } }),
      'Setting "provider.name" must be lower-case letters, digits and inner hyphens.',
    ],
    [
      'a name that makes function names too long',
      changed({ provider: { name: 'a'.repeat(52) } }),
      'Setting "provider.name" must have at most 51 characters: function names begin with it.',
    ],
    [
      'the home region again',
      changed({ streamingRegions: ['eu-west-1'] }),
      'Setting "streamingRegions" must not list eu-west-1, the home region.',
    ],
    [
      'a region twice',
      changed({ streamingRegions: ['us-east-1', 'us-east-1'] }),
      'Setting "streamingRegions" must list each region once.',
    ],
    [
      'a region of another partition',
      changed({ streamingRegions: ['cn-north-1'] }),
      'Setting "streamingRegions" must list regions of the same AWS partition as eu-west-1.',
    ],
    [
      'the home region as a legacy one',
      changed({ legacyRegions: ['eu-west-1'] }),
      'Setting "legacyRegions" must not list eu-west-1, the home region.',
    ],
    [
      'a legacy region that streams',
      changed({ streamingRegions: ['us-east-1'], legacyRegions: ['me-south-1', 'us-east-1'] }),
      'Setting "legacyRegions" must not list us-east-1, a streaming region.',
    ],
    [
      'a legacy region twice',
      changed({ legacyRegions: ['me-south-1', 'me-south-1'] }),
      'Setting "legacyRegions" must list each region once.',
    ],
    [
      'a legacy region of another partition',
      changed({ legacyRegions: ['cn-north-1'] }),
      'Setting "legacyRegions" must list regions of the same AWS partition as eu-west-1.',
    ],
    [
      'a legacy region that is not a region',
      changed({ legacyRegions: ['Bahrain'] }),
      'Setting "legacyRegions[0]" must be an AWS region, such as eu-west-1.',
    ],
    [
      'the same tag key twice',
      changed({ tags: { provider: 'managed-by' } }),
      'Setting "tags" must be four different keys.',
    ],
    [
      'a retention that CloudWatch does not know',
      changed({ logRetentionDays: 31 }),
      expect.stringMatching(/^Setting "logRetentionDays" must be one of 1, 3, .*, 3653\.$/),
    ],
    [
      'too little concurrency',
      changed({ normaliser: { maximumConcurrency: 1 } }),
      'Setting "normaliser.maximumConcurrency" must be at least 2.',
    ],
    [
      'too much concurrency',
      changed({ normaliser: { maximumConcurrency: 1001 } }),
      'Setting "normaliser.maximumConcurrency" must be at most 1000.',
    ],
    [
      'a fractional concurrency',
      changed({ normaliser: { maximumConcurrency: 2.5 } }),
      'Setting "normaliser.maximumConcurrency" must be a whole number from 2 to 1000.',
    ],
    [
      'polling too often',
      changed({ polling: { floorSeconds: 9 } }),
      'Setting "polling.floorSeconds" must be at least 10.',
    ],
    [
      'polling too rarely',
      changed({ polling: { floorSeconds: 301 } }),
      'Setting "polling.floorSeconds" must be at most 300.',
    ],
    [
      'a fraction of a second',
      changed({ polling: { floorSeconds: 10.5 } }),
      'Setting "polling.floorSeconds" must be a whole number from 10 to 300.',
    ],
    [
      'a text that is neither an address nor a topic',
      changed({ alarms: { emailOrTopicArn: 'operators' } }),
      'Setting "alarms.emailOrTopicArn" must be an e-mail address or the ARN of an SNS topic.',
    ],
    [
      'a topic of another region',
      changed({ alarms: { emailOrTopicArn: topicElsewhere } }),
      'Setting "alarms.emailOrTopicArn" must be a topic in eu-west-1, the home region.',
    ],
  ])('refuse %s in one sentence', (_, settings, sentence) => {
    expect(refusalOf(() => parseSettings(settings))).toEqual(sentence);
  });

  it('are all in docs/configuration.md', () => {
    expect(readFileSync(reference, 'utf8')).toBe(settingsReference());
  });
});
