import { Match } from 'aws-cdk-lib/assertions';
import { AwsSolutionsChecks } from 'cdk-nag';
import { describe, expect, it } from 'vitest';
import {
  allowedBy,
  deployedPatterns,
  leastSettings,
  patternsOf,
  provisioningSettings,
  synthesized,
  trustsOf,
} from './synthesized.ts';

const homeBus = {
  'Fn::Join': [
    '',
    [
      'arn:',
      { Ref: 'AWS::Partition' },
      ':events:eu-west-1:',
      { Ref: 'AWS::AccountId' },
      ':event-bus/default',
    ],
  ],
};

describe('roles of every stack', () => {
  const { home, streaming } = synthesized({ ...provisioningSettings, streamingRegions: ['us-east-1'] });
  const trusts = [home, ...streaming].flatMap(trustsOf);

  it('can be assumed by EventBridge and Step Functions only for this account (X 3)', () => {
    const others = trusts.filter(({ service }) => service !== 'lambda.amazonaws.com');

    expect(others.map(({ service }) => service).sort()).toEqual([
      'events.amazonaws.com',
      'events.amazonaws.com',
      'states.amazonaws.com',
    ]);
    for (const { condition } of others)
      expect(condition).toEqual({
        StringEquals: { 'aws:SourceAccount': { Ref: 'AWS::AccountId' } },
        ArnLike: { 'aws:SourceArn': expect.anything() },
      });
    expect(JSON.stringify(others)).toContain(':stateMachine:ec2-sp-polling"');
    expect(JSON.stringify(others)).toContain(':rule/*"');
  });
});

describe('a streaming region', () => {
  const { app, streaming } = synthesized({ ...leastSettings, streamingRegions: ['us-east-1', 'ap-south-1'] });

  it('passes cdk-nag', () => {
    expect(new AwsSolutionsChecks(app).validateScope(app).violations).toEqual([]);
  });

  it('is a separate stack', () => {
    expect(streaming).toHaveLength(2);
  });

  it.each(streaming)(
    'forwards every event that the normaliser understands to the home region',
    (template) => {
      expect(patternsOf(template)).toEqual(deployedPatterns);
      template.allResourcesProperties('AWS::Events::Rule', {
        Targets: [
          Match.objectLike({
            Arn: homeBus,
            RoleArn: Match.anyValue(),
            DeadLetterConfig: {
              Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('InstanceEventsDeadLetters'), 'Arn'] },
            },
          }),
        ],
      });
    },
  );

  it.each(streaming)('may only forward events', (template) => {
    const allowed = allowedBy(template);

    expect(allowed).toEqual([
      { Effect: 'Allow', Action: ['events:PutEvents'], Resource: [homeBus], Condition: undefined },
    ]);
  });

  it.each(streaming)('keeps events that could not be forwarded for 14 days', (template) => {
    template.hasResourceProperties('AWS::SQS::Queue', { MessageRetentionPeriod: 14 * 24 * 3600 });
  });
});
