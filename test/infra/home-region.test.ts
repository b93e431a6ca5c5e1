import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { beforeAll, describe, expect, it } from 'vitest';
import { Env as BridgeEnv } from '../../functions/nats-bridge/env.ts';
import { Env as NormaliserEnv } from '../../functions/normaliser/env.ts';
import { bundleConsole } from '../../infra/bundle.ts';
import { functionNames, inventoryFunctions } from '../../infra/function-names.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { textOf } from '../doc-blocks.ts';
import {
  agentSettings,
  allowedBy,
  allTypes,
  deployedPatterns,
  environmentOf,
  inventory,
  leastSettings,
  patternsOf,
  synthesized,
  vpc,
} from './synthesized.ts';

const { app, home } = synthesized({
  ...leastSettings,
  streamingRegions: ['us-east-1'],
  legacyRegions: ['me-south-1'],
});

const fourteenDays = 14 * 24 * 3600;

describe('the home region', () => {
  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('allows no action by a wildcard', () => {
    const actions = allowedBy(home).flatMap(({ Action }) => Action);

    expect(actions.filter((action) => action.includes('*'))).toEqual([]);
  });

  it('allows functions on every resource only to describe instances, in the regions that are reported', () => {
    const onEverything = ['Normaliser', 'NatsBridge', 'Poller']
      .flatMap((box) => allowedBy(home, `${box}Role`))
      .filter(({ Resource }) => Resource.includes('*'));

    const inReportedRegions = {
      Effect: 'Allow',
      Resource: ['*'],
      Condition: { StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'me-south-1'] } },
    };
    expect(onEverything).toEqual([
      { ...inReportedRegions, Action: ['ec2:DescribeInstances'] },
      { ...inReportedRegions, Action: ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'] },
    ]);
  });

  it('creates all functions alike, each with its own log group', () => {
    const { home: complete } = synthesized({ ...allTypes, usage: {} });

    for (const box of functionNames.filter((name) => !inventoryFunctions.has(name))) {
      complete.hasResourceProperties('AWS::Lambda::Function', {
        FunctionName: `ec2-sp-${box}`,
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        LoggingConfig: { LogFormat: 'JSON', LogGroup: Match.anyValue() },
        Environment: {
          Variables: Match.objectLike({
            NODE_OPTIONS: '--enable-source-maps',
            POWERTOOLS_SERVICE_NAME: box,
            POWERTOOLS_METRICS_NAMESPACE: 'DcmEc2ServiceProvider',
          }),
        },
      });
      complete.hasResource('AWS::Logs::LogGroup', {
        Properties: { LogGroupName: `/aws/lambda/ec2-sp-${box}`, RetentionInDays: 30 },
        DeletionPolicy: 'Delete',
      });
    }
    complete.allResourcesProperties('AWS::IAM::Role', { ManagedPolicyArns: Match.absent() });
  });

  it('has no API and registers nothing where VMs are only reported', () => {
    home.resourceCountIs('AWS::ApiGatewayV2::Api', 0);
    home.resourceCountIs('Custom::DcmProviderRows', 0);
    home.resourceCountIs('AWS::Lambda::Function', 3);
  });
});

describe('instance events', () => {
  it('are all those that the normaliser understands', () => {
    expect(patternsOf(home)).toEqual(deployedPatterns);
  });

  it('are delivered to the observations queue, retried for a day, and then dead-lettered', () => {
    const delivering = {
      EventBusName: Match.absent(),
      EventPattern: Match.anyValue(),
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('ObservationsQueue'), 'Arn'] },
          DeadLetterConfig: {
            Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('InstanceEventsDeadLetters'), 'Arn'] },
          },
          RetryPolicy: { MaximumEventAgeInSeconds: 24 * 3600, MaximumRetryAttempts: 185 },
        }),
      ],
    };

    home.resourcePropertiesCountIs('AWS::Events::Rule', delivering, deployedPatterns.length);
  });
});

it('the normaliser accepts events of the account that it is deployed to', () => {
  expect(environmentOf(home, 'ec2-sp-normaliser').ACCOUNT_ID).toBe('123456789012');
});

describe('observations queue', () => {
  it('keeps messages for 14 days, however often they are retried', () => {
    home.hasResourceProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: fourteenDays,
      VisibilityTimeout: 90,
      SqsManagedSseEnabled: true,
      RedrivePolicy: Match.absent(),
    });
  });

  it('and both dead-letter queues keep 14 days, encrypted by SQS', () => {
    home.resourceCountIs('AWS::SQS::Queue', 3);
    home.allResourcesProperties('AWS::SQS::Queue', {
      MessageRetentionPeriod: fourteenDays,
      SqsManagedSseEnabled: true,
      KmsMasterKeyId: Match.absent(),
    });
  });

  it('accepts messages only from the rules, and only encrypted', () => {
    const denyPlainText = {
      Effect: 'Deny',
      Action: 'sqs:*',
      Principal: { AWS: '*' },
      Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      Resource: Match.anyValue(),
    };
    const allowRule = {
      Effect: 'Allow',
      Action: Match.arrayWith(['sqs:SendMessage']),
      Principal: { Service: 'events.amazonaws.com' },
      Condition: {
        ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': [Match.stringLikeRegexp('^InstanceEvents'), 'Arn'] } },
      },
      Resource: Match.anyValue(),
    };

    home.hasResourceProperties('AWS::SQS::QueuePolicy', {
      Queues: [{ Ref: Match.stringLikeRegexp('ObservationsQueue') }],
      PolicyDocument: {
        Version: Match.anyValue(),
        Statement: [denyPlainText, ...deployedPatterns.map(() => allowRule)],
      },
    });
  });
});

describe('the table', () => {
  it('is retained when the stack is deleted, expires items, and can be restored', () => {
    home.hasResource('AWS::DynamoDB::Table', {
      Properties: {
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        BillingMode: 'PAY_PER_REQUEST',
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true },
      },
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
    });
  });
});

describe('normaliser', () => {
  it('receives up to ten messages at a time, without a batching window, and reports partial failures', () => {
    home.hasResourceProperties('AWS::Lambda::EventSourceMapping', {
      BatchSize: 10,
      MaximumBatchingWindowInSeconds: Match.absent(),
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 20 },
    });
  });

  it('has a timeout longer than a call of the nats-bridge', () => {
    home.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'ec2-sp-normaliser', Timeout: 15 });
    home.hasResourceProperties('AWS::Lambda::Function', { FunctionName: 'ec2-sp-nats-bridge', Timeout: 10 });
  });

  it('has the environment that it requires', () => {
    const environment = NormaliserEnv.parse(environmentOf(home, 'ec2-sp-normaliser'));

    expect(environment.PROVIDER_NAME).toBe('ec2-sp');
    expect(environment.TAG_KEYS).toEqual(TagKeys.parse({}));
  });

  it('may read and update items, and no more', () => {
    const onDynamoDb = allowedBy(home, 'NormaliserRole')
      .flatMap(({ Action }) => Action)
      .filter((action) => action.startsWith('dynamodb:'));

    expect(onDynamoDb).toEqual(['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem']);
  });

  it('may invoke the nats-bridge, delay messages, dead-letter those it cannot parse, and queue its own', () => {
    const resourceOf = (name: string) => ({ 'Fn::GetAtt': [Match.stringLikeRegexp(name), 'Arn'] });
    const allow = (action: string, name: string) =>
      Match.objectLike({ Effect: 'Allow', Action: Match.arrayWith([action]), Resource: resourceOf(name) });

    home.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('NormaliserRole') }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          allow('sqs:ChangeMessageVisibility', 'ObservationsQueue'),
          allow('sqs:SendMessage', 'ObservationsQueue'),
          allow('sqs:SendMessage', 'ObservationsDeadLetters'),
          Match.objectLike({
            Effect: 'Allow',
            Action: 'lambda:InvokeFunction',
            Resource: Match.arrayWith([resourceOf('NatsBridgeFunction')]),
          }),
        ]),
      },
    });
  });
});

describe('nats-bridge', () => {
  it('has the environment that it requires', () => {
    const environment = BridgeEnv.parse(environmentOf(home, 'ec2-sp-nats-bridge'));

    expect(environment.NATS_URL).toBe('nats://nats.test:4222');
    expect(environment.NATS_CREDENTIALS_SECRET).toBeUndefined();
  });

  it('requires neither a VPC nor a secret', () => {
    home.allResourcesProperties('AWS::Lambda::Function', { VpcConfig: Match.absent() });
    expect(allowedBy(home).flatMap(({ Action }) => Action)).not.toContain('secretsmanager:GetSecretValue');
    home.resourceCountIs('AWS::EC2::SecurityGroup', 0);
  });
});

describe('outputs', () => {
  beforeAll(bundleConsole);

  it('name the table, the queue and the nats-bridge', () => {
    expect(Object.keys(home.findOutputs('*'))).toEqual([
      'FleetTableName',
      'ObservationsQueueUrl',
      'NatsBridgeFunctionName',
    ]);
  });

  it('are all explained in docs/deploy.md', () => {
    const { home: complete } = synthesized({
      ...{ ...agentSettings, inventory, usage: {}, console: {} },
      nats: { ...leastSettings.nats, vpc },
      ...{
        externalId: 'an-external-id-of-the-tests',
        accounts: { audit: { id: '333333333333', legacyRegions: ['eu-west-1'] } },
      },
    });
    const outputs = Object.keys(complete.findOutputs('*'));

    expect(outputs).toHaveLength(13);
    expect(outputs.filter((name) => !textOf('docs/deploy.md').includes(`\`${name}\``))).toEqual([]);
  });
});
