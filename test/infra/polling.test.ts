import { readFileSync } from 'node:fs';
import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { Env } from '../../functions/poller/env.ts';
import { TagKeys } from '../../shared/core/ownership.ts';
import { allowedBy, environmentOf, leastSettings, synthesized } from './synthesized.ts';

const { home } = synthesized({
  ...leastSettings,
  streamingRegions: ['us-east-1'],
  legacyRegions: ['me-south-1', 'af-south-1'],
  polling: { floorSeconds: 20 },
});
const asl = readFileSync(new URL('../../functions/poller/state-machine.asl.json', import.meta.url), 'utf8');
const reference = (name: string) => ({ Ref: expect.stringMatching(name) });
const attribute = (name: string) => ({ 'Fn::GetAtt': [expect.stringMatching(name), 'Arn'] });

describe('poller', () => {
  const environment = Env.parse(environmentOf(home, 'ec2-sp-poller'));

  it('has the environment that it requires', () => {
    expect(environment).toMatchObject({
      PROVIDER_NAME: 'ec2-sp',
      TAG_KEYS: TagKeys.parse({}),
      POLL_FLOOR_SECONDS: 20,
    });
  });

  it('lists streaming and legacy regions', () => {
    expect(environment.REGIONS).toEqual([
      { target: { region: 'eu-west-1' }, mode: 'streaming' },
      { target: { region: 'us-east-1' }, mode: 'streaming' },
      { target: { region: 'me-south-1' }, mode: 'legacy' },
      { target: { region: 'af-south-1' }, mode: 'legacy' },
    ]);
  });

  it('runs outside any VPC, for up to 15 seconds', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-poller',
      MemorySize: 512,
      Timeout: 15,
      VpcConfig: Match.absent(),
    });
  });

  it('may store its items in the table, queue observations, and describe instances in its regions, and no more', () => {
    const allowed = allowedBy(home, 'PollerRole').filter(
      ({ Action }) => !Action.some((action) => action.startsWith('logs:')),
    );

    expect(allowed).toEqual([
      {
        Effect: 'Allow',
        Action: [
          'dynamodb:GetItem',
          'dynamodb:BatchGetItem',
          'dynamodb:UpdateItem',
          'dynamodb:PutItem',
          'dynamodb:Scan',
        ],
        Resource: [attribute('^FleetTable')],
      },
      { Effect: 'Allow', Action: ['sqs:SendMessage'], Resource: [attribute('^ObservationsQueue')] },
      {
        Effect: 'Allow',
        Action: ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'],
        Resource: ['*'],
        Condition: {
          StringEquals: { 'aws:RequestedRegion': ['eu-west-1', 'us-east-1', 'me-south-1', 'af-south-1'] },
        },
      },
    ]);
  });
});

const StateMachine = z.object({
  Properties: z.object({
    DefinitionString: z.string(),
    DefinitionSubstitutions: z.record(z.string(), z.unknown()),
  }),
});

describe('polling', () => {
  it('is one Standard state machine for all regions', () => {
    home.resourceCountIs('AWS::StepFunctions::StateMachine', 1);
    home.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'ec2-sp-polling',
      StateMachineType: Match.absent(),
    });
  });

  it('is the file beside the poller, with all its placeholders replaced', () => {
    const [machine] = Object.values(home.findResources('AWS::StepFunctions::StateMachine'));
    const { DefinitionString, DefinitionSubstitutions } = StateMachine.parse(machine).Properties;

    expect(JSON.parse(DefinitionString)).toEqual(JSON.parse(asl));
    expect(DefinitionSubstitutions).toEqual({
      Partition: { Ref: 'AWS::Partition' },
      Poller: reference('^PollerFunction'),
    });
    const open = new Set(Array.from(asl.matchAll(/\$\{(\w+)\}/g), ([, name]) => name));
    expect(open).toEqual(new Set(Object.keys(DefinitionSubstitutions)));
  });

  it('may invoke the poller, start its successor and write its log, and no more', () => {
    const allowed = allowedBy(home, 'PollingRole').map(({ Action, Resource }) => [Action, Resource]);

    expect(allowed).toEqual([
      [['lambda:InvokeFunction'], expect.arrayContaining([attribute('^PollerFunction')])],
      [['states:StartExecution'], [expect.anything()]],
      [expect.arrayContaining(['logs:CreateLogDelivery', 'logs:UpdateLogDelivery']), ['*']],
    ]);
    expect(JSON.stringify(allowed[1])).toContain(':stateMachine:ec2-sp-polling"');
    expect(allowed[2]?.[0]).toSatisfy((actions: string[]) => actions.every((one) => one.startsWith('logs:')));
  });

  it('logs errors, without execution data', () => {
    home.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: {
        Level: 'ERROR',
        IncludeExecutionData: Match.absent(),
        Destinations: [{ CloudWatchLogsLogGroup: { LogGroupArn: Match.anyValue() } }],
      },
    });
    home.hasResource('AWS::Logs::LogGroup', {
      Properties: { LogGroupName: '/aws/vendedlogs/states/ec2-sp-polling', RetentionInDays: 30 },
      DeletionPolicy: 'Delete',
    });
  });

  it('is started by the same watchdog when a deployment of the stack is complete (X 25)', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      EventPattern: {
        source: ['aws.cloudformation'],
        'detail-type': ['CloudFormation Stack Status Change'],
        detail: {
          'stack-id': [{ Ref: 'AWS::StackId' }],
          'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] },
        },
      },
    });
  });

  it('is started every five minutes by a watchdog that may do nothing else', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(5 minutes)',
      State: 'ENABLED',
      Targets: [
        {
          Arn: { Ref: Match.stringLikeRegexp('^PollingStateMachine') },
          Id: Match.anyValue(),
          Input: '{}',
          RetryPolicy: { MaximumEventAgeInSeconds: 300 },
          RoleArn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^PollingStateMachineEventsRole'), 'Arn'] },
        },
      ],
    });
    expect(allowedBy(home, 'PollingStateMachineEventsRole')).toEqual([
      { Effect: 'Allow', Action: ['states:StartExecution'], Resource: [reference('^PollingStateMachine')] },
    ]);
  });
});
