import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import { Env as BridgeEnv } from '../../functions/nats-bridge/env.ts';
import { allowedBy, environmentOf, leastSettings, synthesized, vpc } from './synthesized.ts';

const urls = ['tls://nats-1.test:4222', 'tls://nats-2.test:4222'];
const withNats = (nats: object) => synthesized({ ...leastSettings, nats: { urls, ...nats } });

describe('nats-bridge in a VPC with a secret', () => {
  const { app, home } = withNats({ vpc, credentialsSecret: 'dcm/nats' });

  it('has nothing that cdk-nag objects to', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is alone in the VPC', () => {
    const placed = {
      FunctionName: 'ec2-sp-nats-bridge',
      VpcConfig: Match.objectLike({ SubnetIds: vpc.subnetIds }),
    };

    home.resourcePropertiesCountIs('AWS::Lambda::Function', placed, 1);
    home.resourcePropertiesCountIs('AWS::Lambda::Function', { VpcConfig: Match.absent() }, 2);
  });

  it('gets a security group that lets nothing in, and that is an output', () => {
    home.hasResourceProperties('AWS::EC2::SecurityGroup', {
      VpcId: vpc.vpcId,
      SecurityGroupIngress: Match.absent(),
    });
    home.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    home.hasOutput('NatsBridgeSecurityGroup', {});
  });

  it('reads that secret, known by name, and no other', () => {
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

  it('is told what it asks of its environment', () => {
    const environment = BridgeEnv.parse(environmentOf(home, 'ec2-sp-nats-bridge'));

    expect(environment.NATS_URL).toBe(urls.join(','));
    expect(environment.NATS_CREDENTIALS_SECRET).toBe('dcm/nats');
  });

  it('lets Lambda place it, while its own code may not touch network interfaces', () => {
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

  it('leaves the way to Secrets Manager to the VPC', () => {
    home.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
  });
});

describe('nats-bridge with an endpoint of its own', () => {
  const securityGroupIds = ['sg-0123456789abcdef0'];
  const { app, home } = withNats({
    credentialsSecret: 'dcm/nats',
    vpc: { ...vpc, securityGroupIds, secretsManagerEndpoint: 'create' },
  });

  it('has nothing that cdk-nag objects to', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('uses the given security groups', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      VpcConfig: { SecurityGroupIds: securityGroupIds, SubnetIds: vpc.subnetIds },
    });
    expect(home.findOutputs('NatsBridgeSecurityGroup')).toEqual({});
  });

  it('is the only one whom the endpoint lets in', () => {
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
