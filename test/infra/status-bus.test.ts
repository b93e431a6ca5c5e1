import { Match } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { Env } from '../../functions/change-feed/env.ts';
import { inventory, leastSettings, synthesized } from './synthesized.ts';

const { home } = synthesized({ ...leastSettings, inventory });

describe('the status bus', () => {
  it('is not there without an inventory, nor is its variable', () => {
    const { home: without } = synthesized();

    without.resourceCountIs('AWS::Events::EventBus', 0);
    without.resourceCountIs('AWS::Events::Archive', 0);
    expect(JSON.stringify(without.toJSON())).not.toMatch(/STATUS_BUS|change-feed/);
  });

  it('keeps its events in an archive, and puts them into the queue of the change-feed function', () => {
    const pattern = { source: ['dcm/providers/ec2-sp'] };
    home.hasResourceProperties('AWS::Events::EventBus', { Name: 'dcm-ec2-sp-status' });
    home.hasResourceProperties('AWS::Events::Archive', { EventPattern: pattern, RetentionDays: 30 });
    home.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: pattern,
      EventBusName: { Ref: Match.stringLikeRegexp('^StatusBus') },
      Targets: [Match.objectLike({ DeadLetterConfig: Match.anyValue() })],
    });
  });

  it('takes events from the normaliser, which knows its name', () => {
    home.hasResourceProperties('AWS::Lambda::Function', {
      FunctionName: 'ec2-sp-normaliser',
      Environment: {
        Variables: Match.objectLike({ STATUS_BUS: { Ref: Match.stringLikeRegexp('^StatusBus') } }),
      },
    });
    home.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'events:PutEvents' })]) },
    });
  });

  it('has a change-feed function with exactly its variables, which reads and writes only the inventory’s items', () => {
    const functions = home.findResources('AWS::Lambda::Function', {
      Properties: { FunctionName: 'ec2-sp-change-feed' },
    });
    const [{ Properties } = { Properties: undefined }] = Object.values(functions);
    const variables = Object.keys(Object(Properties).Environment.Variables);
    expect(Object.keys(Env.shape).filter((name) => !variables.includes(name))).toEqual([]);
    home.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: ['dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query'],
            Resource: { 'Fn::GetAtt': [Match.stringLikeRegexp('^Inventory'), 'Arn'] },
          }),
        ]),
      },
    });
  });

  it('has a table with numbers as sort key, whose items expire, and which is retained', () => {
    home.hasResource('AWS::DynamoDB::Table', {
      DeletionPolicy: 'Retain',
      Properties: {
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'N' },
        ],
        TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
        BillingMode: 'PAY_PER_REQUEST',
      },
    });
  });
});
