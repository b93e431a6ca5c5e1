import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { describe, expect, it } from 'vitest';
import { bundleAll } from '../../infra/bundle.ts';
import { checkEnvironments } from '../../infra/environment-limit.ts';
import { serviceProvider } from '../../infra/service-provider.ts';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import { leastSettings, provisioningSettings, synthesized, vpc } from './synthesized.ts';

/** All regions of the commercial partition that an account has by default. */
const regions = [
  ...['eu-west-1', 'us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'ca-central-1', 'sa-east-1'],
  ...['eu-west-2', 'eu-west-3', 'eu-central-1', 'eu-north-1', 'ap-northeast-1', 'ap-northeast-2'],
  ...['ap-northeast-3', 'ap-south-1', 'ap-southeast-1', 'ap-southeast-2'],
];

const network = (region: string, zones: readonly string[]) => ({
  subnets: zones.map((zone, index) => ({ id: `subnet-0123456789abcdef${index}`, zone: region + zone })),
  securityGroupIds: ['sg-0123456789abcdef0'],
  kmsKeyId: `arn:aws:kms:${region}:123456789012:key/01234567-89ab-cdef-0123-456789abcdef`,
});

/** Every setting that is part of an environment, and VMs in this many regions. */
const large = (count: number, zones: readonly string[]) => ({
  ...provisioningSettings,
  nats: { urls: [0, 1, 2].map((n) => `tls://nats-${n}.test:4222`), credentialsSecret: 'dcm/nats', vpc },
  streamingRegions: regions.slice(1, count),
  provisioning: {
    regions: Object.fromEntries(regions.slice(0, count).map((region) => [region, network(region, zones)])),
  },
  api: {
    tokenSecret: 'dcm/api',
    jwt: { issuer: 'https://i.test', audience: 'dcm', jwksUrl: 'https://i.test/jwks' },
  },
  controlPlane: { url: 'https://dcm.test', endpointCredentials: true, vpc: true },
});

describe('the environment of a function', () => {
  it.each([
    [17, 'two subnets, a security group and a key', ['a', 'b']],
    [11, 'three subnets, a security group and a key', ['a', 'b', 'c']],
  ])('fits for %i regions with %s each', (count, _, zones) => {
    expect(() => synthesized(large(count, zones))).not.toThrow();
  });

  it('is refused in one sentence if Lambda would refuse it', () => {
    const urls = Array.from({ length: 150 }, (_, n) => `tls://nats-${n}.example.com:4222`);

    const refusal = refusalOf(() => synthesized({ ...leastSettings, nats: { urls } }));

    expect(refusal).toMatch(
      /^The settings make an environment of \d{4} bytes for the function ec2-sp-nats-bridge, and Lambda accepts 4096: shorten what goes into NATS_URL, its largest variable\.$/,
    );
  });

  it('is completed by a file beside the code', async () => {
    await bundleAll();
    const app = new App();
    const { home } = serviceProvider(app, parseSettings(provisioningSettings));
    const [asset = ''] = home.node
      .findAll()
      .flatMap((each) => ('absoluteStagedPath' in each ? [String(each.absoluteStagedPath)] : []))
      .filter((path) => existsSync(join(path, 'provisioning.json')));

    expect(existsSync(join(asset, 'index.mjs'))).toBe(true);
    expect(JSON.parse(readFileSync(join(asset, 'provisioning.json'), 'utf8'))).toMatchObject({
      regions: { 'eu-west-1': { subnets: [] } },
    });
  });
});

describe('an environment', () => {
  const functionWith = (environment: (stack: Stack) => Record<string, string>) => {
    const app = new App();
    const stack = new Stack(app, 'Stack');
    new LambdaFunction(stack, 'Function', {
      functionName: 'measured',
      code: Code.fromInline('//'),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      environment: environment(stack),
    });
    return app;
  };
  /** `{"A":"…"}` has eight bytes but for the value. */
  const ofBytes = (bytes: number) => functionWith(() => ({ A: 'x'.repeat(bytes - 8) }));

  it('may have 4,096 bytes as JSON, and no more', () => {
    expect(() => checkEnvironments(ofBytes(4_096))).not.toThrow();
    expect(refusalOf(() => checkEnvironments(ofBytes(4_097)))).toContain(
      '4097 bytes for the function measured',
    );
  });

  it('is measured in bytes of UTF-8, with the quotes in its values escaped', () => {
    expect(refusalOf(() => checkEnvironments(functionWith(() => ({ A: '"'.repeat(2_045) }))))).toContain(
      '4098 bytes',
    );
    expect(refusalOf(() => checkEnvironments(functionWith(() => ({ A: 'é'.repeat(2_045) }))))).toContain(
      '4098 bytes',
    );
  });

  it('is measured with the maximum length of each unknown name', () => {
    const queues = (count: number) =>
      functionWith((stack) =>
        Object.fromEntries(
          Array.from({ length: count }, (_, n) => [`Q${n}`, `x${new Queue(stack, `Q${n}`).queueName}`]),
        ),
      );

    expect(() => checkEnvironments(queues(15))).not.toThrow();
    expect(refusalOf(() => checkEnvironments(queues(16)))).toContain('bytes for the function measured');
  });
});
