import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Env } from '../../functions/registration/env.ts';
import { ResourceProperties } from '../../functions/registration/request.ts';
import {
  allowedBy,
  environmentOf,
  leastSettings,
  provisioningSettings,
  synthesized,
  vpc,
} from './synthesized.ts';

const { controlPlane } = provisioningSettings;
const { home } = synthesized({
  ...provisioningSettings,
  streamingRegions: ['us-east-1'],
  provisioning: { regions: { 'eu-west-1': {}, 'us-east-1': {} } },
});
const Resource = z.object({
  Properties: z.record(z.string(), z.unknown()),
  DependsOn: z.array(z.string()).default([]),
});
const resource = (template: typeof home, type: string) => {
  const [id = '', found] = Object.entries(template.findResources(type))[0] ?? [];
  return { id, ...Resource.parse(found) };
};

describe('registration', () => {
  it('is told what it asks of its environment', () => {
    expect(Env.parse(environmentOf(home, 'ec2-sp-registration'))).toMatchObject({
      PROVIDER_NAME: 'ec2-sp',
      HOME_REGION: 'eu-west-1',
      REGIONS: ['eu-west-1', 'us-east-1'],
      CONTROL_PLANE_URL: 'http://dcm.test:8080',
    });
  });

  it("says that the provider is at API Gateway's address, or at the domain that leads there", () => {
    const publicUrl = 'https://vms.example.com';
    const { home: withDomain } = synthesized({
      ...provisioningSettings,
      controlPlane: { ...controlPlane, publicUrl },
    });
    const told = (PUBLIC_URL: unknown) => ({
      FunctionName: 'ec2-sp-registration',
      Environment: { Variables: Match.objectLike({ PUBLIC_URL }) },
    });

    home.hasResourceProperties(
      'AWS::Lambda::Function',
      told({ 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApi'), 'ApiEndpoint'] }),
    );
    withDomain.hasResourceProperties('AWS::Lambda::Function', told(publicUrl));
  });

  it('is asked every minute to keep the rows, and not twice for one minute', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^RegistrationFunction'), 'Arn'] },
          Input: '{"do":"keep-registered"}',
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
        }),
      ],
    });
  });

  it('may remember outcomes and what the listings are to do, in the fleet, and no more', () => {
    const beyondLogs = allowedBy(home, 'RegistrationRole').filter(
      ({ Action }) => !Action.some((action) => action.startsWith('logs:')),
    );

    expect(beyondLogs).toEqual([
      {
        Effect: 'Allow',
        Action: ['dynamodb:BatchGetItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem', 'dynamodb:UpdateItem'],
        Resource: [{ 'Fn::GetAtt': [expect.stringMatching('^FleetTable'), 'Arn'] }],
      },
    ]);
  });

  it('runs outside any VPC, and reads no secret', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-registration',
      VpcConfig: Match.absent(),
    });
  });

  it('does not exist where somebody else registers the provider', () => {
    const { controlPlane: _, ...withoutDcm } = provisioningSettings;
    const { home: unregistered } = synthesized(withoutDcm);

    unregistered.resourceCountIs('Custom::DcmProviderRows', 0);
    unregistered.resourceCountIs('AWS::ApiGatewayV2::Api', 1);
    expect(() => environmentOf(unregistered, 'ec2-sp-registration')).toThrow();
  });
});

describe('the provider rows of a stack', () => {
  const rows = resource(home, 'Custom::DcmProviderRows');

  it('are one for each region, by names that the function understands', () => {
    expect(ResourceProperties.parse(rows.Properties)).toEqual({
      controlPlaneUrl: 'http://dcm.test:8080',
      rowNames: ['ec2-sp', 'ec2-sp-us-east-1'],
    });
  });

  it('are registered anew when the address of the API changes', () => {
    expect(rows.Properties.publicUrl).toEqual({
      'Fn::GetAtt': [expect.stringMatching('^ProviderApi'), 'ApiEndpoint'],
    });
  });

  it('are registered once the API answers (C 56), and hold up a deployment for five minutes at most', () => {
    const stage = resource(home, 'AWS::ApiGatewayV2::Stage').id;

    expect(rows.DependsOn).toEqual(
      expect.arrayContaining([stage, resource(home, 'AWS::ApiGatewayV2::Route').id]),
    );
    expect(rows.Properties.ServiceTimeout).toBe('300');
  });

  it('are withdrawn when nothing registers them any more (C 52)', () => {
    const schedules = Object.values(
      home.findResources('AWS::Events::Rule', { Properties: { ScheduleExpression: 'rate(1 minute)' } }),
    );

    expect(schedules).toHaveLength(1);
    expect(schedules[0]?.DependsOn).toContain(rows.id);
  });

  it('are told to CloudFormation by a framework that may only invoke the function', () => {
    const beyondLogs = allowedBy(home, 'RegistrationProviderRole')
      .flatMap(({ Action }) => Action)
      .filter((action) => !action.startsWith('logs:'));

    expect(beyondLogs).toEqual(['lambda:InvokeFunction', 'lambda:GetFunction']);
  });

  it('say to those who deploy what DCM said', () => {
    home.hasOutput('RegistrationOutcome', { Value: { 'Fn::GetAtt': [rows.id, 'outcome'] } });
  });
});

describe('registration with a token in the endpoint, from the VPC of NATS', () => {
  const { app, home: placed } = synthesized({
    ...provisioningSettings,
    nats: { ...leastSettings.nats, vpc },
    controlPlane: { url: 'https://dcm.test', endpointCredentials: true, vpc: true },
  });

  it('has nothing that cdk-nag objects to', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is in the same subnets and security group as the nats-bridge', () => {
    const bridge = placed.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: 'ec2-sp-nats-bridge' },
    });
    const [{ Properties } = { Properties: {} }] = Object.values(bridge);

    placed.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-registration',
      VpcConfig: Properties.VpcConfig,
    });
    expect(Properties.VpcConfig.SubnetIds).toEqual(vpc.subnetIds);
  });

  it('reads the token of the API', () => {
    expect(Env.parse(environmentOf(placed, 'ec2-sp-registration')).ENDPOINT_TOKEN_SECRET).toBe('dcm/api');
    const onSecrets = allowedBy(placed, 'RegistrationRole').filter(({ Action }) =>
      Action.includes('secretsmanager:GetSecretValue'),
    );
    expect(JSON.stringify(onSecrets.map(({ Resource }) => Resource))).toContain(':secret:dcm/api-??????');
  });
});
