import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterAll, describe, expect, it } from 'vitest';
import { Env as BridgeEnv } from '../../functions/nats-bridge/env.ts';
import { Env, provisioningFile } from '../../functions/provider-api/env.ts';
import { operationsWith } from '../../functions/provider-api/operations/registry.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import {
  agentSettings,
  allowedBy,
  allTypes,
  environmentOf,
  provisioningSettings,
  synthesized,
} from './synthesized.ts';

const { api } = provisioningSettings;
const subnet = { id: 'subnet-0123456789abcdef0', zone: 'eu-west-1a' };
const key = 'arn:aws:kms:us-east-1:123456789012:key/1';
const webRole = 'arn:aws:iam::123456789012:role/web';
const complete = synthesized({
  ...provisioningSettings,
  streamingRegions: ['us-east-1'],
  provisioning: {
    regions: {
      'eu-west-1': {
        subnets: [subnet],
        securityGroupIds: ['sg-0123456789abcdef0'],
        allowedSubnetIds: ['subnet-0123456789abcdef9'],
        allowedSecurityGroupIds: ['sg-0123456789abcdef9'],
      },
      'us-east-1': { kmsKeyId: key },
    },
    images: {
      rhel: { ssmParameter: '/images/rhel' },
      golden: { imageId: 'ami-0123456789abcdef0' },
      fedora: { owner: '125523088429', name: 'Fedora-*' },
      other: { owner: '210987654321', name: 'other-*' },
    },
    allowedImageOwners: ['aws-marketplace'],
    families: ['m7i', 'c7g'],
    instanceProfiles: [{ profile: 'web', roleArn: webRole }],
    spot: true,
  },
  api: { ...api, throttling: { rate: 20, burst: 40 } },
  controlPlane: undefined,
  agents: {
    'eu-west-1': agentSettings.agent,
    'us-east-1': { ...agentSettings.agent, url: 'https://agent-2.test', topic: 'aws-us-east-1' },
  },
});
const { app, home, warnings } = complete;
const plain = synthesized(provisioningSettings);

const folder = mkdtempSync(join(tmpdir(), 'dcm-provisioning-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The environment as the function reads it, with the file beside its code. */
const readBy = ({ home: template, filesOf }: Pick<typeof plain, 'home' | 'filesOf'>) => {
  const PROVISIONING_FILE = join(folder, provisioningFile);
  writeFileSync(PROVISIONING_FILE, filesOf('provider-api')[provisioningFile] ?? '');
  return Env.parse({ ...environmentOf(template, 'ec2-sp-provider-api'), PROVISIONING_FILE });
};

type Statement = ReturnType<typeof allowedBy>[number];
const allowed = allowedBy(home, 'ProviderApiRole');
const allowing = (action: string): Statement[] => allowed.filter(({ Action }) => Action.includes(action));
/** ARNs as text; what only AWS knows is left out. */
const arns = ({ Resource }: Statement): string[] =>
  Resource.map((arn) => (typeof arn === 'string' ? arn : JSON.stringify(arn).replaceAll(/["[\]{},]/g, '')));
const inRegions = { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1'] };
const attribute = (name: string) => ({ 'Fn::GetAtt': [expect.stringMatching(name), 'Arn'] });

describe('the API', () => {
  it('passes cdk-nag with all settings and with the minimum', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
    expect(new AwsSolutionsChecks(plain.app).validateScope(plain.app).violations).toEqual([]);
  });

  it('is one HTTP API that forwards every path to the function', () => {
    home.resourceCountIs('AWS::ApiGatewayV2::Api', 1);
    home.hasResourceProperties('AWS::ApiGatewayV2::Route', { RouteKey: '$default' });
    home.resourceCountIs('AWS::ApiGatewayV2::Integration', 1);
    home.hasResourceProperties('AWS::ApiGatewayV2::Integration', {
      IntegrationUri: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApiFunction'), 'Arn'] },
      PayloadFormatVersion: '2.0',
      TimeoutInMillis: 29_000,
    });
    home.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'ec2-sp-provider-api', Timeout: 29 });
  });

  it('has the configured throttle', () => {
    const throttled = (ThrottlingRateLimit: number, ThrottlingBurstLimit: number) => ({
      StageName: '$default',
      AutoDeploy: true,
      DefaultRouteSettings: { ThrottlingRateLimit, ThrottlingBurstLimit },
    });

    home.hasResourceProperties('AWS::ApiGatewayV2::Stage', throttled(20, 40));
    plain.home.hasResourceProperties('AWS::ApiGatewayV2::Stage', throttled(50, 100));
  });

  it('has a lower throttle for public routes, which does not use up the configured one (X 3)', () => {
    const open = operationsWith(['vm'])
      .filter(({ isPublic }) => isPublic)
      .flatMap(({ method, path }) => [`${method} ${path}`, `${method} /{region}${path}`]);
    const [stage] = Object.values(home.findResources('AWS::ApiGatewayV2::Stage'));
    const routes = home.findResources('AWS::ApiGatewayV2::Route');

    expect(stage?.Properties.RouteSettings).toEqual(
      Object.fromEntries(open.map((key) => [key, { ThrottlingRateLimit: 5, ThrottlingBurstLimit: 40 }])),
    );
    expect(
      Object.values(routes)
        .map(({ Properties }) => Properties.RouteKey)
        .sort(),
    ).toEqual(['$default', ...open].sort());
    const withSettings = Object.keys(routes).filter((id) => routes[id]?.Properties.RouteKey !== '$default');
    expect(stage?.DependsOn).toEqual(expect.arrayContaining(withSettings));
  });

  it('logs one JSON line for each request, without headers, query or body (C 60)', () => {
    const [stage] = Object.values(home.findResources('AWS::ApiGatewayV2::Stage'));
    const { Format } = stage?.Properties.AccessLogSettings ?? {};

    const fields: Record<string, string> = JSON.parse(Format);
    expect(Object.keys(fields)).toEqual(expect.arrayContaining(['requestId', 'method', 'path', 'status']));
    expect(Object.values(fields).every((field) => /^\$context\.[\w.]+$/.test(field))).toBe(true);
    home.hasResourceProperties('AWS::Logs::LogGroup', {
      LogGroupName: '/aws/vendedlogs/apis/ec2-sp-provider-api',
      RetentionInDays: 30,
    });
  });

  it('is an output of the stack', () => {
    home.hasOutput('ProviderApiUrl', {
      Value: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApi'), 'ApiEndpoint'] },
    });
  });
});

describe('provider-api', () => {
  const environment = readBy(complete);

  it('has the environment that it requires', () => {
    expect(environment).toMatchObject({
      PROVIDER_NAME: 'ec2-sp',
      HOME_REGION: 'eu-west-1',
      TAG_KEYS: TagKeys.parse({}),
      API_ACCESS: { tokenSecret: 'dcm/api' },
      AGENT_REQUESTS: 'true',
      PROVIDER_VERSION: expect.stringMatching(/^\d+\.\d+\.\d+$/),
    });
  });

  it('has the provisioning settings in a file beside its code, without the roles of the profiles', () => {
    expect(environment.PROVISIONING_FILE).toMatchObject({
      regions: { 'eu-west-1': { subnets: [subnet] }, 'us-east-1': { kmsKeyId: key } },
      families: ['m7i', 'c7g'],
      instanceProfiles: ['web'],
      maximumVms: 100,
    });
    expect(JSON.stringify(environment)).not.toContain(webRole);
  });

  it('has the nats-bridge look up requests on the streams of every agent, and without an agent nowhere (Y 1)', () => {
    const streams = (template: typeof home) =>
      BridgeEnv.parse(environmentOf(template, 'ec2-sp-nats-bridge')).AGENT_REQUESTS_STREAM;

    expect(streams(home)).toEqual([...['dcm-agent-requests', 'aws-eu-west-1-retry', 'aws-us-east-1-retry']]);
    expect(streams(plain.home)).toEqual([]);
    expect(readBy(plain).AGENT_REQUESTS).toBe('false');
  });

  it('may read the token of the API, by its name, and no other secret', () => {
    const [statement, ...others] = allowing('secretsmanager:GetSecretValue');

    expect(others).toEqual([]);
    expect(JSON.stringify(statement?.Resource)).toContain(':secret:dcm/api-??????');
    expect(environmentOf(home, 'ec2-sp-provider-api').AWS_ENDPOINT_URL_SECRETS_MANAGER).toBe(
      'https://secretsmanager.eu-west-1.amazonaws.com',
    );
  });

  it('reads no secret where callers have tokens of an issuer', () => {
    const jwt = { issuer: 'https://issuer.test', audience: 'dcm', jwksUrl: 'https://issuer.test/keys' };
    const byJwt = synthesized({ ...provisioningSettings, api: { jwt } });

    expect(allowedBy(byJwt.home).flatMap(({ Action }) => Action)).not.toContain(
      'secretsmanager:GetSecretValue',
    );
    expect(readBy(byJwt).API_ACCESS).toEqual({ jwt });
  });
});

describe('recorded deletions', () => {
  it('are completed every two minutes, without retries, by the function that may delete', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(2 minutes)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApiFunction'), 'Arn'] },
          Input: '{"do":"complete-deletions"}',
          RetryPolicy: { MaximumEventAgeInSeconds: 120, MaximumRetryAttempts: 0 },
        }),
      ],
    });
  });

  it('give no other function the permission to delete, nor to have the provider-api do it', () => {
    const { home: all } = synthesized(allTypes);
    const ends = ['ec2:TerminateInstances', 'ecs:StopTask'];
    for (const role of ['NormaliserRole', 'PollerRole', 'NatsBridgeRole', 'RegistrationRole']) {
      const allowedTo = allowedBy(all, role);
      expect(allowedTo).not.toEqual([]);
      expect(allowedTo.flatMap(({ Action }) => Action).filter((action) => ends.includes(action))).toEqual([]);
      expect(JSON.stringify(allowedTo)).not.toContain('ProviderApiFunction');
    }
    expect(allowedBy(all, 'ProviderApiRole').flatMap(({ Action }) => Action)).toEqual(
      expect.arrayContaining(ends),
    );
  });
});

describe('provider-api may', () => {
  it('launch instances and disks only with both ownership tags', () => {
    const ours = { 'aws:RequestTag/managed-by': 'dcm', 'aws:RequestTag/dcm-provider': 'ec2-sp' };

    const made = allowing('ec2:RunInstances').filter((statement) =>
      arns(statement).some((arn) => /:(instance|volume)\/\*/.test(arn)),
    );

    expect(made).toHaveLength(2);
    for (const { Condition } of made)
      expect(Condition).toMatchObject({ StringEquals: { ...inRegions, ...ours } });
  });

  it('launch only instances of the allowed families, whose metadata requires a token', () => {
    const [instances] = allowing('ec2:RunInstances').filter((statement) =>
      arns(statement).some((arn) => arn.includes(':instance/*')),
    );

    expect(instances?.Condition).toMatchObject({
      StringEquals: { 'ec2:MetadataHttpTokens': 'required' },
      StringLike: { 'ec2:InstanceType': ['m7i.*', 'c7g.*'] },
    });
  });

  const usedToLaunch = (kind: string): string[] =>
    allowing('ec2:RunInstances')
      .flatMap(arns)
      .filter((arn) => arn.includes(`:${kind}/`))
      .map((arn) => arn.replace(/^.*:ec2:([^:]*):.*:/, '$1 '));

  it('launch only into the allowed subnets and with the allowed security groups, if some are configured (X 3)', () => {
    expect(usedToLaunch('subnet')).toEqual([
      'eu-west-1 subnet/subnet-0123456789abcdef0',
      'eu-west-1 subnet/subnet-0123456789abcdef9',
      'us-east-1 subnet/*',
    ]);
    expect(usedToLaunch('security-group')).toEqual([
      'eu-west-1 security-group/sg-0123456789abcdef0',
      'eu-west-1 security-group/sg-0123456789abcdef9',
      'us-east-1 security-group/*',
    ]);
  });

  it('launch into any subnet if none is configured, with a warning at synthesis (X 3)', () => {
    expect(warnings).toEqual([
      expect.stringContaining(
        'Setting "provisioning.regions.us-east-1.subnets" is empty: EC2 chooses a subnet of the default VPC, and refuses every launch where the region has none',
      ),
      expect.stringContaining('Setting "provisioning.regions.us-east-1.securityGroupIds" is empty'),
    ]);
  });

  it('launch only images of the allowed owners, and those that the settings name (X 3)', () => {
    const onImages = allowing('ec2:RunInstances').filter((statement) =>
      /:image\//.test(arns(statement).join()),
    );

    expect(onImages.map((statement) => [arns(statement), statement.Condition])).toEqual([
      [
        [expect.stringMatching(/:ec2:\*::image\/\*$/)],
        {
          StringEquals: {
            ...inRegions,
            'ec2:Owner': [
              ...['amazon', '099720109477', '125523088429', '136693071363', '309956199498'],
              ...['210987654321', 'aws-marketplace', { Ref: 'AWS::AccountId' }],
            ],
          },
        },
      ],
      [[expect.stringMatching(/:ec2:\*::image\/ami-0123456789abcdef0$/)], { StringEquals: inRegions }],
    ]);
  });

  it('tag only what it launches', () => {
    const [tagging, ...others] = allowing('ec2:CreateTags');

    expect(others).toEqual([]);
    expect(tagging?.Condition).toEqual({
      StringEquals: { ...inRegions, 'ec2:CreateAction': 'RunInstances' },
    });
  });

  it.each(['Start', 'Stop', 'Reboot', 'Terminate'])('%s only instances with both ownership tags', (verb) => {
    const [changing, ...others] = allowing(`ec2:${verb}Instances`);

    expect(others).toEqual([]);
    expect(changing && arns(changing)).toEqual([expect.stringContaining(':instance/*')]);
    expect(changing?.Condition).toEqual({
      StringEquals: {
        ...inRegions,
        'aws:ResourceTag/managed-by': 'dcm',
        'aws:ResourceTag/dcm-provider': 'ec2-sp',
      },
    });
  });

  it('use the configured tag keys', () => {
    const tags = { managedBy: 'owner', provider: 'owner-provider' };
    const renamed = allowedBy(synthesized({ ...provisioningSettings, tags }).home, 'ProviderApiRole');

    const conditions = JSON.stringify(renamed.map(({ Condition }) => Condition));
    expect(conditions).toContain('aws:ResourceTag/owner"');
    expect(conditions).toContain('aws:RequestTag/owner-provider"');
    expect(conditions).not.toContain('/managed-by"');
  });

  it('look up what EC2 offers, in the regions where VMs are created', () => {
    const onEverything = allowed.filter(({ Resource }) => Resource.includes('*'));

    expect(onEverything).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'ec2:DescribeImages',
          'ec2:DescribeInstances',
          'ec2:DescribeInstanceTypes',
          'servicequotas:GetServiceQuota',
        ],
        Resource: ['*'],
        Condition: { StringEquals: inRegions },
      },
    ]);
  });

  it("read AWS's public parameters, and those that the settings name", () => {
    const [reading] = allowing('ssm:GetParameter');

    expect(reading && arns(reading)).toEqual([
      expect.stringContaining('arn:aws:ssm:*::parameter/aws/service/*'),
      expect.stringMatching(/:ssm:eu-west-1:.*:parameter\/images\/rhel$/),
      expect.stringMatching(/:ssm:us-east-1:.*:parameter\/images\/rhel$/),
    ]);
  });

  it('pass the roles of the configured profiles to EC2', () => {
    expect(allowing('iam:PassRole')).toEqual([
      {
        Effect: 'Allow',
        Action: ['iam:PassRole'],
        Resource: [webRole],
        Condition: { StringEquals: { 'iam:PassedToService': ['ec2.amazonaws.com'] } },
      },
    ]);
  });

  it('use the configured keys through EC2', () => {
    const usingKeys = [...allowing('kms:Decrypt'), ...allowing('kms:CreateGrant')];

    expect(usingKeys).toHaveLength(2);
    for (const { Resource, Condition } of usingKeys) {
      expect(Resource).toEqual([key]);
      expect(Condition).toMatchObject({
        StringEquals: { 'kms:ViaService': ['ec2.us-east-1.amazonaws.com'] },
      });
    }
  });

  it('request spot capacity, and create the service-linked role for it', () => {
    expect(allowing('iam:CreateServiceLinkedRole')[0]?.Condition).toEqual({
      StringEquals: { 'iam:AWSServiceName': 'spot.amazonaws.com' },
    });
    expect(allowing('ec2:RunInstances').flatMap(arns).join()).toContain(':spot-instances-request/*');
  });

  it('do none of this by default', () => {
    const least = allowedBy(plain.home, 'ProviderApiRole');

    const actions = least.flatMap(({ Action }) => Action);
    expect(actions.filter((action) => /^(iam|kms):/.test(action))).toEqual([]);
    expect(least.flatMap(arns).join()).not.toContain('spot-instances-request');
  });

  it('read and update items, query the index, send messages but receive none, and invoke the nats-bridge (X 24)', () => {
    const elsewhere = allowed
      .filter(({ Action }) => Action.some((action) => /^(dynamodb|sqs|lambda):/.test(action)))
      .map(({ Action, Resource }) => [Action, Resource]);

    expect(elsewhere).toEqual([
      [['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem'], [attribute('^FleetTable')]],
      [['dynamodb:Query'], [expect.anything()]],
      [['sqs:SendMessage'], [attribute('^ObservationsQueue')]],
      [['lambda:InvokeFunction'], expect.arrayContaining([attribute('^NatsBridgeFunction')])],
    ]);
    expect(JSON.stringify(elsewhere[1])).toContain('/index/vms-by-region');
  });
});
