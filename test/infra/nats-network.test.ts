import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Env as BridgeEnv } from '../../functions/nats-bridge/env.ts';
import { allowedBy, environmentOf, leastSettings, synthesized, vpc } from './synthesized.ts';

const urls = ['tls://nats-1.test:4222', 'tls://nats-2.test:4222'];
const withNats = (nats: object) => synthesized({ ...leastSettings, nats: { urls, ...nats } });

describe('nats-bridge in a VPC with a secret', () => {
  const { app, home } = withNats({ vpc, credentialsSecret: 'dcm/nats' });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is the only function in the VPC', () => {
    const placed = {
      FunctionName: 'ec2-sp-nats-bridge',
      VpcConfig: Match.objectLike({ SubnetIds: vpc.subnetIds }),
    };

    home.resourcePropertiesCountIs('AWS::Lambda::Function', placed, 1);
    home.resourcePropertiesCountIs('AWS::Lambda::Function', { VpcConfig: Match.absent() }, 2);
  });

  it('gets a security group without inbound rules, which is an output', () => {
    home.hasResourceProperties('AWS::EC2::SecurityGroup', {
      VpcId: vpc.vpcId,
      SecurityGroupIngress: Match.absent(),
    });
    home.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    home.hasOutput('NatsBridgeSecurityGroup', {});
  });

  it('may read that secret, by its name, and no other', () => {
    const onSecrets = allowedBy(home).filter(({ Action }) =>
      Action.includes('secretsmanager:GetSecretValue'),
    );

    expect(onSecrets).toHaveLength(1);
    expect(JSON.stringify(onSecrets[0]?.Resource)).toContain(':secret:dcm/nats-??????');
    home.resourceCountIs('AWS::SecretsManager::Secret', 0);
  });

  it.each([
    ['eu-west-1', 'https://secretsmanager.eu-west-1.amazonaws.com'],
    ['ap-east-2', 'https://secretsmanager.ap-east-2.amazonaws.com'],
    ['us-gov-west-1', 'https://secretsmanager.us-gov-west-1.amazonaws.com'],
    ['cn-north-1', 'https://secretsmanager.cn-north-1.amazonaws.com.cn'],
    ['eusc-de-east-1', 'https://secretsmanager.eusc-de-east-1.amazonaws.eu'],
  ])('reads it in %s too, from %s, without a layer', (homeRegion, endpoint) => {
    const { home: there } = synthesized({ homeRegion, nats: { urls, credentialsSecret: 'dcm/nats' } });

    expect(environmentOf(there, 'ec2-sp-nats-bridge').AWS_ENDPOINT_URL_SECRETS_MANAGER).toBe(endpoint);
    there.allResourcesProperties('AWS::Lambda::Function', { Layers: Match.absent() });
  });

  it('has the environment that it requires', () => {
    const environment = BridgeEnv.parse(environmentOf(home, 'ec2-sp-nats-bridge'));

    expect(environment.NATS_URL).toBe(urls.join(','));
    expect(environment.NATS_CREDENTIALS_SECRET).toBe('dcm/nats');
  });

  it('allows Lambda to place it in the VPC, and denies its own code to change network interfaces', () => {
    const onEverything = allowedBy(home, 'NatsBridgeRole').filter(({ Resource }) => Resource.includes('*'));

    expect(onEverything.map(({ Action }) => Action)).toEqual([
      expect.arrayContaining(['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface']),
    ]);
    home.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Effect: 'Deny',
            Action: Match.arrayWith(['ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface']),
            Condition: { ArnEquals: { 'lambda:SourceFunctionArn': Match.anyValue() } },
          }),
        ]),
      },
    });
  });

  it('creates no endpoint for Secrets Manager by default', () => {
    home.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  });
});

describe('nats-bridge with its own endpoint', () => {
  const securityGroupIds = ['sg-0123456789abcdef0'];
  const { app, home } = withNats({
    credentialsSecret: 'dcm/nats',
    vpc: { ...vpc, securityGroupIds, secretsManagerEndpoint: 'create' },
  });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('uses the given security groups', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: { SecurityGroupIds: securityGroupIds, SubnetIds: vpc.subnetIds },
    });
    expect(home.findOutputs('NatsBridgeSecurityGroup')).toEqual({});
  });

  it('is the only client that the endpoint allows', () => {
    home.hasResourceProperties('AWS::EC2::VPCEndpoint', {
      ServiceName: 'com.amazonaws.eu-west-1.secretsmanager',
      VpcEndpointType: 'Interface',
      PrivateDnsEnabled: true,
      SubnetIds: vpc.subnetIds,
    });
    home.resourceCountIs('AWS::EC2::SecurityGroupIngress', 1);
    home.hasResourceProperties('AWS::EC2::SecurityGroupIngress', {
      SourceSecurityGroupId: securityGroupIds[0],
      FromPort: 443,
      ToPort: 443,
    });
  });
});
