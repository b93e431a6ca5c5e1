import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { alarmsOf, allTypes, inventory, leastSettings, synthesized } from './synthesized.ts';

const Widget = z.object({
  type: z.string(),
  properties: z.looseObject({
    title: z.string().optional(),
    markdown: z.string().optional(),
    alarms: z.array(z.string()).optional(),
    metrics: z.array(z.array(z.unknown())).optional(),
  }),
});
const Body = z.object({ widgets: z.array(Widget) });
const ADashboard = z.object({
  Properties: z.object({ DashboardName: z.string(), DashboardBody: z.unknown() }),
});

const Join = z.object({ 'Fn::Join': z.tuple([z.literal(''), z.array(z.unknown())]) });

/** The body with `Ref<id>` and `FnGetAtt<id><attribute>` for what only AWS knows. */
const filledIn = (body: unknown): string => {
  const [, parts] = Join.parse(body)['Fn::Join'];
  return parts
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part).replaceAll(/\W/g, '')))
    .join('');
};

const dashboardsOf = (home: Template) =>
  Object.values(home.findResources('AWS::CloudWatch::Dashboard')).map((one) => {
    const { DashboardName, DashboardBody } = ADashboard.parse(one).Properties;
    return { name: DashboardName, widgets: Body.parse(JSON.parse(filledIn(DashboardBody))).widgets };
  });

const onlyDashboardOf = (home: Template) => {
  const [dashboard, ...others] = dashboardsOf(home);
  if (dashboard === undefined || others.length > 0) throw new Error('expected one dashboard');
  return dashboard;
};

/** Each metric as a line: namespace, name, dimensions and options. */
const metricsOf = (home: Template): string[] =>
  onlyDashboardOf(home).widgets.flatMap(({ properties }) =>
    (properties.metrics ?? []).map((metric) => JSON.stringify(metric)),
  );

const idsOf = (home: Template, type: string): string[] => Object.keys(home.findResources(type));

describe('the dashboard', () => {
  const prod = { id: '222222222222', streamingRegions: ['eu-north-1'], legacyRegions: ['me-south-1'] };
  const { home } = synthesized({
    ...{ ...allTypes, inventory, usage: {}, canary: true, streamingRegions: ['us-east-1'] },
    ...{ accounts: { prod }, externalId: 'a-random-text-of-40-characters-xxxxxxxx' },
  });

  it('has the name of the provider and its region, since names are unique in an account', () => {
    expect(onlyDashboardOf(home).name).toBe('ec2-sp-eu-west-1');
  });

  it('shows every alarm of the stack, first', () => {
    const [first] = onlyDashboardOf(home).widgets;

    expect(first?.properties.alarms).toHaveLength(alarmsOf(home).length);
    for (const alarm of idsOf(home, 'AWS::CloudWatch::Alarm'))
      expect(first?.properties.alarms?.join()).toContain(`FnGetAtt${alarm}`);
  });

  it.each(['AWS::SQS::Queue', 'AWS::ApiGatewayV2::Api', 'AWS::StepFunctions::StateMachine'])(
    'shows every %s of the stack',
    (type) => {
      const metrics = metricsOf(home).join('\n');

      expect(idsOf(home, type)).not.toEqual([]);
      for (const id of idsOf(home, type)) expect(metrics).toMatch(new RegExp(`(Ref|FnGetAtt)${id}`));
    },
  );

  it('shows errors, throttles and durations of every function of ours', () => {
    const metrics = metricsOf(home);
    const names = Object.values(home.findResources('AWS::Lambda::Function')).flatMap(
      (one) => z.string().optional().parse(one.Properties.FunctionName) ?? [],
    );

    expect(names.length).toBeGreaterThan(8);
    for (const name of names)
      for (const metric of ['Errors', 'Throttles', 'Duration'])
        expect(
          metrics.filter((one) => one.startsWith(`["AWS/Lambda","${metric}"`) && one.includes(`"${name}"`)),
        ).toHaveLength(1);
  });

  it('shows every metric that the functions count, and the age of events', () => {
    const telemetry = readFileSync(new URL('../../shared/ports/telemetry.ts', import.meta.url), 'utf8');
    const [, counts = ''] = /export type Count =(.*?)'registrationUnreachable';/s.exec(telemetry) ?? [];
    const names = [...counts.matchAll(/^ {2}\| '(\w+)'/gm)].map(([, name = '']) => name);
    const shown = metricsOf(home);

    expect(names).toContain('unforwarded');
    for (const name of [...names, 'eventAge'])
      expect(
        shown.some((one) => one.startsWith(`["DcmEc2ServiceProvider","${name}","service"`)),
        name,
      ).toBe(true);
  });

  it('finds what was healed in any region and state', () => {
    expect(metricsOf(home).join('\n')).toContain(
      "SEARCH('{DcmEc2ServiceProvider,service,region,state} MetricName=\\\"resyncHealed\\\"', 'Sum', 300)",
    );
  });

  it('lists the targets of every account', () => {
    const texts = onlyDashboardOf(home).widgets.flatMap(({ properties }) => properties.markdown ?? []);

    expect(texts.join('\n')).toContain('| home | eu-west-1, us-east-1 | – |');
    expect(texts.join('\n')).toContain('| prod (222222222222) | eu-north-1 | me-south-1 |');
  });

  it('shows nothing of what is not deployed', () => {
    const least = synthesized(leastSettings).home;
    const titles = onlyDashboardOf(least).widgets.map(({ properties }) => properties.title);

    expect(titles).toContain('Statuses');
    expect(titles).not.toContain('Deletions');
    expect(titles).not.toContain('Registrations that failed');
  });

  it('is left out where the settings say so', () => {
    expect(dashboardsOf(synthesized({ ...leastSettings, dashboard: false }).home)).toEqual([]);
  });
});
