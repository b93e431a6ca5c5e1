import { readFileSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { queueOf } from '../../cli/doctor/account.ts';
import { leastWindowMs } from '../../cli/doctor/examine.ts';
import {
  alarmsOf,
  allTypes,
  inventory,
  leastSettings,
  provisioningSettings,
  synthesized,
} from './synthesized.ts';

const streamingRegions = ['us-east-1'];
const runbook = new URL('../../docs/runbook.md', import.meta.url);
const withNotice = (emailOrTopicArn: string) =>
  synthesized({ ...leastSettings, streamingRegions, alarms: { emailOrTopicArn } });

describe('alarms', () => {
  const { home, streaming } = synthesized({ ...provisioningSettings, streamingRegions });
  const withClusters = synthesized(allTypes);
  const ofClusters = alarmsOf(withClusters.home).filter(({ AlarmName }) => AlarmName.includes('cluster'));
  const withInventory = synthesized({ ...provisioningSettings, inventory });
  const ofInventory = alarmsOf(withInventory.home).filter(
    ({ AlarmName }) => !alarmsOf(home).some((one) => one.AlarmName === AlarmName),
  );
  const all = [...[home, ...streaming].flatMap(alarmsOf), ...ofClusters, ...ofInventory];

  it('watch every component of the home region', () => {
    expect(alarmsOf(home).map(({ AlarmName }) => AlarmName)).toEqual([
      'ec2-sp-instance-events-dead-letters',
      'ec2-sp-instance-events-lost',
      'ec2-sp-observations-queue-age',
      'ec2-sp-observations-queue-stuck',
      'ec2-sp-observations-dead-letters',
      'ec2-sp-normaliser-errors',
      'ec2-sp-normaliser-throttles',
      'ec2-sp-duplicate-first-attempt',
      'ec2-sp-duplicate-owner',
      'ec2-sp-nats-bridge-errors',
      'ec2-sp-nats-bridge-throttles',
      'ec2-sp-poller-errors',
      'ec2-sp-poller-throttles',
      'ec2-sp-polling-failed',
      'ec2-sp-poller-breaker',
      'ec2-sp-provider-api-errors',
      'ec2-sp-provider-api-throttles',
      'ec2-sp-provider-api-failures',
      'ec2-sp-deletions-refused',
      'ec2-sp-registration-errors',
      'ec2-sp-registration-throttles',
      'ec2-sp-registration-refused',
      'ec2-sp-registration-unreachable',
    ]);
  });

  it('watch only components that exist', () => {
    const names = alarmsOf(synthesized(leastSettings).home).map(({ AlarmName }) => AlarmName);

    expect(names.filter((name) => /provider-api|registration/.test(name))).toEqual([]);
  });

  it('watch the function that takes the steps of clusters, and its queue', () => {
    expect(ofClusters.map(({ AlarmName }) => AlarmName)).toEqual([
      'ec2-sp-cluster-steps-errors',
      'ec2-sp-cluster-steps-throttles',
      'ec2-sp-cluster-steps-stuck',
      'ec2-sp-cluster-steps-dead-letters',
    ]);
  });

  it('name the services whose events could not be delivered', () => {
    withClusters.home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-instance-events-dead-letters',
      AlarmDescription: Match.stringLikeRegexp('EC2 and ECS events'),
    });
  });

  it('watch the events of each streaming region', () => {
    expect(streaming.flatMap(alarmsOf).map(({ AlarmName }) => AlarmName)).toEqual([
      'ec2-sp-instance-events-dead-letters',
      'ec2-sp-instance-events-lost',
    ]);
  });

  it.each(all)('name their heading of the runbook: $AlarmName', ({ AlarmName, AlarmDescription }) => {
    const heading = AlarmName.replace('ec2-sp-', '');

    expect(AlarmDescription.endsWith(` See docs/runbook.md#${heading}`)).toBe(true);
  });

  it.each(all)('each have a heading in the runbook: $AlarmName', ({ AlarmName }) => {
    const heading = `## ${AlarmName.replace('ec2-sp-', '')}\n`;

    expect(readFileSync(runbook, 'utf8')).toContain(heading);
  });

  it('count the events that each rule could deliver nowhere', () => {
    home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-instance-events-lost',
      Metrics: Match.arrayWith([
        Match.objectLike({
          MetricStat: Match.objectLike({
            Metric: {
              Namespace: 'AWS/Events',
              MetricName: 'InvocationsFailedToBeSentToDlq',
              Dimensions: [{ Name: 'RuleName', Value: Match.anyValue() }],
            },
          }),
        }),
      ]),
    });
  });

  it('count the executions of the polling that failed or ran too long', () => {
    const executions = (MetricName: string) =>
      Match.objectLike({
        MetricStat: Match.objectLike({
          Metric: {
            Namespace: 'AWS/States',
            MetricName,
            Dimensions: [{ Name: 'StateMachineArn', Value: Match.anyValue() }],
          },
        }),
      });

    home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-polling-failed',
      Metrics: Match.arrayWith([executions('ExecutionsFailed'), executions('ExecutionsTimedOut')]),
    });
  });

  it.each([
    ['at once when a breaker trips', 'poller-breaker', 'breakerTripped', 'poller', 1],
    ['at once when two instances have one DCM id', 'duplicate-owner', 'duplicateOwner', 'normaliser', 1],
    ['at once when DCM refuses a provider', 'registration-refused', 'registrationRefused', 'registration', 1],
    [
      'after a quarter of an hour without DCM',
      'registration-unreachable',
      'registrationUnreachable',
      'registration',
      3,
    ],
  ])('are raised %s', (_, alarm, MetricName, box, EvaluationPeriods) => {
    home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: `ec2-sp-${alarm}`,
      Namespace: 'DcmEc2ServiceProvider',
      MetricName,
      Dimensions: [{ Name: 'service', Value: box }],
      Statistic: 'Sum',
      Period: 300,
      Threshold: 1,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      EvaluationPeriods,
    });
  });

  it('count what the API answers with errors of its own', () => {
    home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-provider-api-failures',
      Namespace: 'AWS/ApiGateway',
      MetricName: '5xx',
      Dimensions: [{ Name: 'ApiId', Value: Match.anyValue() }],
    });
  });

  it('only change their state without a topic or address', () => {
    home.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
  });
});

describe('alarms sent by e-mail', () => {
  const { home, streaming } = withNotice('operators@example.com');

  it.each([home, ...streaming])('have a topic in each region that CloudWatch may publish to', (template) => {
    template.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [{ Ref: Match.stringLikeRegexp('AlarmsTopic') }],
    });
    template.hasResourceProperties('AWS::SNS::Subscription', {
      Endpoint: 'operators@example.com',
      Protocol: 'email',
    });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Effect: 'Allow', Principal: { Service: 'cloudwatch.amazonaws.com' } }),
        ]),
      },
    });
  });
});

describe('alarms sent to a topic', () => {
  const topicArn = 'arn:aws:sns:eu-west-1:123456789012:operators';
  const { home, streaming } = withNotice(topicArn);

  it('are sent to it only in its own region, because CloudWatch notifies no other topics', () => {
    home.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [topicArn] });
    for (const template of streaming)
      template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: Match.absent() });
  });
});

const GetAtt = z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.string()]) });
const DeadLetterAlarm = z.object({
  Properties: z.object({
    AlarmName: z.string(),
    MetricName: z.literal('ApproximateNumberOfMessagesVisible'),
    Dimensions: z.tuple([z.object({ Name: z.literal('QueueName'), Value: GetAtt })]),
  }),
});
const AnEventSource = z.object({
  Properties: z.object({ EventSourceArn: GetAtt, FunctionName: z.object({ Ref: z.string() }) }),
});
const AFunction = z.object({ Properties: z.object({ FunctionName: z.string(), Timeout: z.number() }) });
const AQueue = z.object({ Properties: z.object({ VisibilityTimeout: z.number() }) });

/** By the logical id of a queue: what takes its messages, or the alarm on any of them. */
const watchedQueues = (template: Template) => {
  const without = (name: string) => name.replace('ec2-sp-', '');
  const functions = template.findResources('AWS::Lambda::Function');
  const sources = Object.values(template.findResources('AWS::Lambda::EventSourceMapping')).map((one) => {
    const { EventSourceArn, FunctionName } = AnEventSource.parse(one).Properties;
    const box = without(AFunction.parse(functions[FunctionName.Ref]).Properties.FunctionName);
    return [EventSourceArn['Fn::GetAtt'][0], { box }] as const;
  });
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).flatMap((one) => {
    const { data } = DeadLetterAlarm.safeParse(one);
    if (data === undefined) return [];
    const [{ Value }] = data.Properties.Dimensions;
    return [[Value['Fn::GetAtt'][0], { alarm: without(data.Properties.AlarmName) }] as const];
  });
  return Object.fromEntries([...sources, ...alarms]);
};

describe('the doctor', () => {
  const { home, streaming } = synthesized({
    ...{ ...allTypes, streamingRegions, inventory },
    usage: {
      billingAccountId: '111111111111',
      prices: [{ region: 'eu-west-1', instanceType: 't3.medium', hourly: '0.0456' }],
    },
    externalId: 'an-external-id-of-the-tests',
    accounts: { audit: { id: '333333333333', legacyRegions: ['eu-west-1'] } },
  });

  it('knows of every queue what takes its messages, or its alarm', () => {
    for (const template of [home, ...streaming]) {
      const ids = Object.keys(template.findResources('AWS::SQS::Queue'));
      const known = ids.filter((id) => !id.startsWith('ClusterSteps'));

      expect(known.length).toBeGreaterThan(0);
      expect(Object.fromEntries(known.map((id) => [id, queueOf(id)]))).toEqual(
        Object.fromEntries(known.map((id) => [id, watchedQueues(template)[id]])),
      );
    }
  });

  it('knows after how long the normaliser may publish a status again', () => {
    const resources = home.toJSON().Resources;
    const [queue] = Object.keys(resources).filter((id) => /^ObservationsQueue.{8}$/.test(id));
    const normaliser = { Properties: { FunctionName: 'ec2-sp-normaliser' } };
    const [made] = Object.values(home.findResources('AWS::Lambda::Function', normaliser));
    const { VisibilityTimeout } = AQueue.parse(resources[queue ?? '']).Properties;

    expect(leastWindowMs).toBe((VisibilityTimeout + AFunction.parse(made).Properties.Timeout) * 1000);
  });
});
