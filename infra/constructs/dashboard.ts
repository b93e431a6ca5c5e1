import { Duration, Stack } from 'aws-cdk-lib';
import { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  AlarmStatusWidget,
  Dashboard as CloudWatchDashboard,
  GraphWidget,
  type IMetric,
  MathExpression,
  Metric,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct, type IConstruct } from 'constructs';
import type { Count } from '../../shared/ports/telemetry.ts';
import type { FunctionName } from '../function-names.ts';
import { functionNameOf, metricsNamespace } from '../functions.ts';
import { accountsOf } from '../settings/accounts.ts';
import type { Settings } from '../settings/settings.ts';
import { canaryAge, counted } from './alarms.ts';

const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);
/** Of the 24 columns of a dashboard: three graphs in a row. */
const width = 8;
const height = 6;

type CountsGraph = {
  readonly title: string;
  readonly counts: readonly Count[];
  /** The functions that count them. */
  readonly by: readonly FunctionName[];
};

/** All metrics that the functions count, without those of the canary. */
const countsGraphs: readonly CountsGraph[] = [
  {
    title: 'Statuses',
    counts: ['received', 'accepted', 'published', 'unpublished', 'duplicate', 'duplicateAtFirstAttempt'],
    by: ['normaliser'],
  },
  {
    title: 'Statuses that a newer one replaced',
    counts: ['debounced', 'superseded', 'collapsed'],
    by: ['normaliser'],
  },
  { title: 'Nothing new', counts: ['unchanged', 'stale'], by: ['normaliser'] },
  {
    title: 'Not reported',
    counts: [
      ...(['unreadable', 'unknownEvent', 'unknownState', 'foreignAccount'] as const),
      ...(['unreportedRegion', 'foreign', 'tooYoung'] as const),
    ],
    by: ['normaliser', 'inventory'],
  },
  {
    title: 'Owners of instances',
    counts: ['claimed', 'released', 'moved', 'duplicateOwner', 'unaddressable'],
    by: ['normaliser'],
  },
  { title: 'Status bus', counts: ['forwarded', 'unforwarded'], by: ['normaliser'] },
  { title: 'Listings', counts: ['pagesListed', 'pagesUnchanged', 'pagesCompared'], by: ['poller'] },
  {
    title: 'Missing or different in listings',
    counts: ['comparisonHealed', 'vanished', 'breakerTripped'],
    by: ['poller'],
  },
  {
    title: 'Calls of AWS',
    counts: ['ec2Calls', 'ecsCalls', 'eksCalls', 'inventoryCalls'],
    by: ['normaliser', 'poller'],
  },
  { title: 'Inventory', counts: ['collectionsNotListed', 'inventoryNotWritten'], by: ['poller'] },
  { title: 'Usage', counts: ['usageEvents', 'usageLate'], by: ['usage'] },
  { title: 'Deletions', counts: ['deletionsCompleted', 'deletionsRefused'], by: ['provider-api'] },
  {
    title: 'Registrations that failed',
    counts: ['registrationRefused', 'registrationUnreachable'],
    by: ['registration'],
  },
];

/**
 * The CloudWatch dashboard of a deployment, `<provider>-<home region>`: the alarms first, then how statuses flow, then each part. It shows
 * every alarm, function of ours, queue, API and state machine of its stack, so it must be created after them.
 */
export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, settings: Settings) {
    super(scope, id);
    const parts = Stack.of(this).node.findAll();
    const functions = parts.flatMap(functionNameIn);
    const dashboard = new CloudWatchDashboard(this, 'Dashboard', {
      dashboardName: `${settings.provider.name}-${settings.homeRegion}`,
      defaultInterval: Duration.hours(3),
    });
    dashboard.addWidgets(
      new AlarmStatusWidget({
        title: 'Alarms',
        alarms: parts.filter((one): one is Alarm => one instanceof Alarm),
        ...{ width: 2 * width, height },
      }),
      new TextWidget({ markdown: targetsOf(settings), width, height }),
    );
    for (const graphs of [
      [eventAge(), healed(), ...parts.flatMap(executionsOf)],
      ...(settings.canary ? [canary(settings.provider.name)] : []),
      parts.flatMap(queueOf),
      countsGraphs.flatMap((one) => countsOf(settings.provider.name, one, functions)),
      functionsOf(functions),
      parts.flatMap(answersOf),
    ])
      dashboard.addWidgets(...graphs);
  }
}

/** Nothing of a function of the CDK, which has no name in the template. */
const functionNameIn = (one: IConstruct): string[] => {
  const name: unknown = one instanceof CfnFunction && Stack.of(one).resolve(one.functionName);
  return typeof name === 'string' ? [name] : [];
};

/** The targets and how each is watched; a graph cannot show them. */
const targetsOf = ({
  provider,
  homeRegion,
  streamingRegions,
  legacyRegions,
  ...settings
}: Settings): string =>
  [
    `# ${provider.name}`,
    'Alarms are explained in docs/runbook.md.',
    '| account | by events | by listings alone |\n|---|---|---|',
    ...[
      ['home', [homeRegion, ...streamingRegions], legacyRegions] as const,
      ...accountsOf(settings).map(
        ([alias, account]) =>
          [`${alias} (${account.id})`, account.streamingRegions, account.legacyRegions] as const,
      ),
    ].map(
      ([account, streaming, legacy]) =>
        `| ${account} | ${streaming.join(', ') || '–'} | ${legacy.join(', ') || '–'} |`,
    ),
  ].join('\n');

const graph = (title: string, left: readonly IMetric[], label?: string) =>
  new GraphWidget({
    ...{ title, left: [...left], width, height },
    leftYAxis: { min: 0, showUnits: false, ...(label !== undefined && { label }) },
  });

const eventAge = () =>
  graph(
    'From the change in AWS to its publication',
    ['p50', 'p99', 'Maximum'].map(
      (statistic) =>
        new Metric({
          ...{
            namespace: metricsNamespace,
            metricName: 'eventAge',
            dimensionsMap: { service: 'normaliser' },
          },
          ...{ statistic, period: minute, label: statistic },
        }),
    ),
    'ms',
  );

const canary = (provider: string) => [
  graph(
    "From the canary's message to JetStream's answer",
    ['p50', 'Maximum'].map((statistic) => canaryAge(provider, statistic).with({ label: statistic })),
    'ms',
  ),
  graph(
    'Runs of the canary that failed',
    (['provider-api', 'normaliser'] as const).map((box) => counted('canaryFailed', box).with({ label: box })),
  ),
];

/** A search, because the regions and states are known only when one is healed. */
const healed = () =>
  graph('Healed: changes that no event reported', [
    new MathExpression({
      expression: `SEARCH('{${metricsNamespace},service,region,state} MetricName="resyncHealed"', 'Sum', 300)`,
      ...{ usingMetrics: {}, label: '', period: fiveMinutes },
    }),
  ]);

const executionsOf = (one: IConstruct) => {
  if (!(one instanceof StateMachine)) return [];
  const given = { period: fiveMinutes, statistic: 'Sum' };
  const metrics = [one.metricStarted(given), one.metricFailed(given), one.metricTimedOut(given)];
  return [graph('Executions of the polling', metrics)];
};

/** The ids of a construct and those around it, which are the same in whatever app the stack is. */
const pathInStack = (one: IConstruct): string[] =>
  one.node.path.slice(Stack.of(one).node.path.length + 1).split('/');

/** One graph for a queue: how many messages wait, and for how long. Dead-letter queues too. */
const queueOf = (one: IConstruct) => {
  if (!(one instanceof Queue)) return [];
  const given = { period: minute, statistic: 'Maximum' };
  return [
    new GraphWidget({
      ...{ title: `Queue ${pathInStack(one).join(' ')}`, width, height },
      left: [
        one.metricApproximateNumberOfMessagesVisible({ ...given, label: 'waiting' }),
        one.metricApproximateNumberOfMessagesNotVisible({
          ...given,
          label: 'in work, or waiting for a retry',
        }),
      ],
      right: [one.metricApproximateAgeOfOldestMessage({ ...given, label: 'age of the oldest' })],
      leftYAxis: { min: 0, showUnits: false },
      rightYAxis: { min: 0, label: 's', showUnits: false },
    }),
  ];
};

/** Nothing of functions that are not deployed. */
const countsOf = (provider: string, { title, counts, by }: CountsGraph, functions: readonly string[]) => {
  const boxes = by.filter((box) => functions.includes(functionNameOf(provider, box)));
  const metrics = counts.flatMap((count) =>
    boxes.map((box) => counted(count, box).with({ label: by.length > 1 ? `${count}, ${box}` : count })),
  );
  return metrics.length > 0 ? [graph(title, metrics)] : [];
};

const functionsOf = (functions: readonly string[]) =>
  (
    [
      ['Errors of functions', 'Errors', 'Sum'],
      ['Throttled functions', 'Throttles', 'Sum'],
      ['How long functions take (99 of 100 calls)', 'Duration', 'p99'],
    ] as const
  ).map(([title, metricName, statistic]) =>
    graph(
      title,
      functions.map(
        (functionName) =>
          new Metric({
            ...{ namespace: 'AWS/Lambda', metricName, dimensionsMap: { FunctionName: functionName } },
            ...{ statistic, period: fiveMinutes, label: functionName },
          }),
      ),
      metricName === 'Duration' ? 'ms' : undefined,
    ),
  );

const answersOf = (one: IConstruct) => {
  if (!(one instanceof HttpApi)) return [];
  const given = { period: fiveMinutes, statistic: 'Sum' };
  return [
    graph(`Answers of ${pathInStack(one)[0]}`, [
      one.metricCount({ ...given, label: 'all' }),
      one.metricClientError({ ...given, label: '4xx' }),
      one.metricServerError({ ...given, label: '5xx' }),
    ]),
  ];
};
