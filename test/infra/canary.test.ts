import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { contradictions } from '../../infra/settings/contradictions.ts';
import { Settings } from '../../infra/settings/settings.ts';
import { leastSettings, provisioningSettings, synthesized } from './synthesized.ts';

const Resources = z.object({
  Resources: z.record(z.string(), z.object({ Type: z.string(), Properties: z.unknown() })),
});
const resourcesOf = (home: Template) => Resources.parse(home.toJSON()).Resources;

const { home } = synthesized({ ...provisioningSettings, canary: true });
const { home: without } = synthesized(provisioningSettings);

describe('the canary', () => {
  it('is not there without its setting', () => {
    expect(JSON.stringify(without.toJSON())).not.toMatch(/canary/i);
    expect(synthesized({ ...provisioningSettings, canary: false }).home.toJSON()).toEqual(without.toJSON());
  });

  it('adds a schedule, its alarm and graphs, and gives no function a permission or a variable', () => {
    const before = resourcesOf(without);
    const changed = Object.entries(resourcesOf(home)).filter(
      ([id, { Properties }]) => !isDeepStrictEqual(before[id]?.Properties, Properties),
    );

    expect(changed.map(([, { Type }]) => Type).sort()).toEqual([
      'AWS::CloudWatch::Alarm',
      'AWS::CloudWatch::Dashboard',
      'AWS::Events::Rule',
      'AWS::Lambda::Permission',
    ]);
  });

  it('runs each minute in the provider-api, and a run that is late is left out', () => {
    home.hasResourceProperties('AWS::Events::Rule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Targets: [
        Match.objectLike({
          Arn: { 'Fn::GetAtt': [Match.stringLikeRegexp('^ProviderApiFunction'), 'Arn'] },
          Input: '{"do":"canary"}',
          RetryPolicy: { MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 0 },
        }),
      ],
    });
  });

  it('raises an alarm after five minutes in which no message of this provider came in time', () => {
    home.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'ec2-sp-canary-late',
      AlarmDescription: Match.stringLikeRegexp(' See docs/runbook.md#canary-late$'),
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      Threshold: 300_000,
      EvaluationPeriods: 5,
      TreatMissingData: 'breaching',
      Metrics: [
        Match.objectLike({ Expression: 'FILL(age, 300000)' }),
        Match.objectLike({
          Id: 'age',
          MetricStat: {
            Metric: {
              Namespace: 'DcmEc2ServiceProvider',
              MetricName: 'canaryAgeMs',
              Dimensions: [
                { Name: 'provider', Value: 'ec2-sp' },
                { Name: 'service', Value: 'normaliser' },
              ],
            },
            Period: 60,
            Stat: 'Minimum',
          },
        }),
      ],
    });
    expect(readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8')).toContain(
      '## canary-late\n',
    );
  });

  it('has its age and its failures on the dashboard', () => {
    const [dashboard] = Object.values(home.findResources('AWS::CloudWatch::Dashboard'));
    const body = JSON.stringify(dashboard);

    expect(body).toContain('canaryAgeMs');
    expect(body).toContain('canaryFailed');
  });

  it.each<[string, object, string]>([
    ['where nothing is created', leastSettings, 'VMs must be created in eu-west-1'],
    [
      'where VMs are created in other regions alone',
      {
        ...provisioningSettings,
        streamingRegions: ['us-east-1'],
        provisioning: { regions: { 'us-east-1': {} } },
      },
      'VMs must be created in eu-west-1',
    ],
    [
      'where callers have tokens of an issuer alone',
      {
        ...provisioningSettings,
        api: { jwt: { issuer: 'https://i.test', audience: 'dcm', jwksUrl: 'https://i.test/keys' } },
      },
      'must be false without api.tokenSecret',
    ],
  ])('is refused %s', (_, settings, must) => {
    const found = contradictions(Settings.parse({ ...settings, canary: true }));

    expect(found).toContainEqual(['canary', expect.stringContaining(must)]);
  });
});
