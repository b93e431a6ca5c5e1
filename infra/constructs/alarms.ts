import { Duration } from 'aws-cdk-lib';
import type { HttpApi } from 'aws-cdk-lib/aws-apigatewayv2';
import {
  Alarm,
  ComparisonOperator,
  type IMetric,
  MathExpression,
  Metric,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { Construct } from 'constructs';
import type { Count } from '../../shared/ports/telemetry.ts';
import type { FunctionName } from '../function-names.ts';
import { metricsNamespace } from '../functions.ts';
import type { Settings } from '../settings/settings.ts';
import { alarmTopic } from './alarm-topic.ts';
import type { InstanceEventsRules } from './instance-events-rules.ts';
import type { RetriedQueue } from './retried-queue.ts';
import type { FeedOfStatuses } from './status-bus.ts';
import type { Usage } from './usage.ts';

const minute = Duration.minutes(1);
const fiveMinutes = Duration.minutes(5);

type AlarmSpec = {
  /** The alarm's name without the provider's name; also its heading in docs/runbook.md. */
  readonly name: string;
  readonly meaning: string;
  readonly metric: IMetric;
  readonly atLeast: number;
  /** Number of consecutive periods of the metric. */
  readonly periods: number;
  /** Whether the metric is always there. @default false */
  readonly isWrongWithoutData?: boolean;
};

/** The alarms of a stack. Each description names the heading of docs/runbook.md that says what to do. */
export class Alarms extends Construct {
  readonly #provider: string;
  readonly #actions: SnsAction[];

  constructor(
    scope: Construct,
    id: string,
    { provider, alarms, topic }: Pick<Settings, 'provider' | 'alarms'> & { readonly topic?: ITopic },
  ) {
    super(scope, id);
    this.#provider = provider.name;
    const notified = topic ?? alarmTopic(this, alarms.emailOrTopicArn);
    this.#actions = notified ? [new SnsAction(notified)] : [];
  }

  watchObservations({ queue, deadLetters }: RetriedQueue) {
    this.#raise({
      name: 'observations-queue-age',
      meaning: 'Messages wait for more than five minutes: the normaliser is too slow or does not run.',
      metric: queue.metricApproximateAgeOfOldestMessage({ period: minute, statistic: 'Maximum' }),
      atLeast: 300,
      periods: 3,
    });
    // The age leaves out messages that were received more than three times: in an outage of NATS, all of them.
    this.#raise({
      name: 'observations-queue-stuck',
      meaning: 'Messages have been retried for a quarter of an hour: NATS or DynamoDB does not accept them.',
      metric: queue.metricApproximateNumberOfMessagesNotVisible({ period: minute, statistic: 'Minimum' }),
      atLeast: 1,
      periods: 15,
    });
    this.#raiseIfAny(
      'observations-dead-letters',
      'Messages could not be parsed, or NATS refuses a status for good.',
      deadLetters,
    );
  }

  watchRules(
    { rules, services, deadLetters, bus }: InstanceEventsRules,
    events: 'instance-events' | 'account-events' = 'instance-events',
  ) {
    const whose = events === 'account-events' ? ' of other accounts' : '';
    this.#raiseIfAny(
      `${events}-dead-letters`,
      `EventBridge could not deliver ${services} events${whose}.`,
      deadLetters,
    );
    this.#raise({
      name: `${events}-lost`,
      meaning: `EventBridge could deliver ${services} events${whose} neither to the queue nor to its dead-letter queue.`,
      metric: sumOf(Object.fromEntries(rules.map((rule, index) => [`rule${index}`, lostBy(rule, bus)]))),
      atLeast: 1,
      periods: 1,
    });
  }

  watchFunction(box: FunctionName, watched: LambdaFunction) {
    const metrics = { period: fiveMinutes, statistic: 'Sum' };
    this.#raise({
      name: `${box}-errors`,
      meaning: `The ${box} crashes, times out or cannot start.`,
      metric: watched.metricErrors(metrics),
      atLeast: 1,
      periods: 2,
    });
    this.#raise({
      name: `${box}-throttles`,
      meaning: `Lambda throttles the ${box}: the account's concurrency is used up.`,
      metric: watched.metricThrottles(metrics),
      atLeast: 1,
      periods: 2,
    });
  }

  watchPolling(stateMachine: StateMachine) {
    const metrics = { period: fiveMinutes, statistic: 'Sum' };
    this.#raise({
      name: 'polling-failed',
      meaning: 'An execution of the state machine that drives the poller failed.',
      metric: sumOf({
        failed: stateMachine.metricFailed(metrics),
        timedOut: stateMachine.metricTimedOut(metrics),
      }),
      atLeast: 1,
      periods: 1,
    });
    this.#raise({
      name: 'poller-breaker',
      meaning: 'So many VMs are missing from a listing that none of them is reported as deleted.',
      metric: counted('breakerTripped', 'poller'),
      atLeast: 1,
      periods: 1,
    });
  }

  watchClusterSteps({ queue, deadLetters }: RetriedQueue) {
    this.#raise({
      name: 'cluster-steps-stuck',
      meaning:
        'Steps of clusters have been retried for a quarter of an hour: EKS or DynamoDB does not answer.',
      metric: queue.metricApproximateNumberOfMessagesNotVisible({ period: minute, statistic: 'Minimum' }),
      atLeast: 1,
      periods: 15,
    });
    this.#raiseIfAny(
      'cluster-steps-dead-letters',
      'Requests for steps of clusters could not be parsed.',
      deadLetters,
    );
  }

  watchInventory({ queue, deadLetters }: RetriedQueue) {
    this.#raise({
      name: 'inventory-stuck',
      meaning:
        'Events for the inventory have been retried for a quarter of an hour: DynamoDB or EC2 does not answer.',
      metric: queue.metricApproximateNumberOfMessagesNotVisible({ period: minute, statistic: 'Minimum' }),
      atLeast: 1,
      periods: 15,
    });
    this.#raiseIfAny(
      'inventory-dead-letters',
      'Messages for the inventory could not be parsed.',
      deadLetters,
    );
    this.#raise({
      name: 'inventory-not-written',
      meaning: 'The poller cannot write what it lists to the inventory: the inventory grows old.',
      metric: counted('inventoryNotWritten', 'poller'),
      atLeast: 1,
      periods: 3,
    });
    // A listing that fails is begun again after a quarter of an hour at most.
    this.#raise({
      name: 'collections-not-listed',
      meaning: 'A collection of the inventory could not be listed for an hour: what it shows grows old.',
      metric: counted('collectionsNotListed', 'poller', Duration.hours(1)),
      atLeast: 4,
      periods: 1,
    });
  }

  /** `rules`: from the bus to the queues of its readers. */
  watchStatusBus(bus: EventBus, rules: readonly Rule[]) {
    this.#raise({
      name: 'status-bus-lost',
      meaning:
        'EventBridge could deliver statuses from the status bus neither to their queue nor to its dead-letter queue.',
      metric: sumOf(Object.fromEntries(rules.map((rule, index) => [`rule${index}`, lostBy(rule, bus)]))),
      atLeast: 1,
      periods: 1,
    });
    this.#raise({
      name: 'status-bus-refuses',
      meaning: 'For a quarter of an hour the status bus has not taken statuses that DCM has.',
      metric: counted('unforwarded', 'normaliser'),
      atLeast: 1,
      periods: 3,
    });
  }

  watchChangeFeed({ changes, undelivered }: Pick<FeedOfStatuses, 'changes' | 'undelivered'>) {
    this.#raise({
      name: 'change-feed-stuck',
      meaning: 'Statuses for the change feed have been retried for a quarter of an hour.',
      metric: changes.queue.metricApproximateNumberOfMessagesNotVisible({
        period: minute,
        statistic: 'Minimum',
      }),
      atLeast: 1,
      periods: 15,
    });
    this.#raiseIfAny(
      'change-feed-dead-letters',
      'Statuses for the change feed could not be parsed.',
      changes.deadLetters,
    );
    this.#raiseIfAny(
      'status-bus-dead-letters',
      'EventBridge could not deliver statuses from the status bus to the queue of the change feed.',
      undelivered,
    );
  }

  watchUsage({ events, undelivered }: Pick<Usage, 'events' | 'undelivered'>) {
    this.#raise({
      name: 'usage-stuck',
      meaning: 'Statuses for the usage ledger have been retried for a quarter of an hour.',
      metric: events.queue.metricApproximateNumberOfMessagesNotVisible({
        period: minute,
        statistic: 'Minimum',
      }),
      atLeast: 1,
      periods: 15,
    });
    this.#raiseIfAny(
      'usage-dead-letters',
      'Statuses for the usage ledger could not be parsed.',
      events.deadLetters,
    );
    this.#raiseIfAny(
      'usage-undelivered',
      'EventBridge could not deliver statuses from the status bus to the queue of the usage ledger.',
      undelivered,
    );
  }

  watchPublication() {
    this.#raise({
      name: 'duplicate-first-attempt',
      meaning: 'JetStream dropped a status as a duplicate that had not been published before.',
      metric: counted('duplicateAtFirstAttempt', 'normaliser'),
      atLeast: 1,
      periods: 1,
    });
  }

  watchOwners() {
    this.#raise({
      name: 'duplicate-owner',
      meaning: 'Two instances carry the same DCM id: one of them is not reported to DCM.',
      metric: counted('duplicateOwner', 'normaliser'),
      atLeast: 1,
      periods: 1,
    });
  }

  watchApi(api: HttpApi, box: 'provider-api' | 'inventory-api' = 'provider-api') {
    this.#raise({
      name: `${box}-failures`,
      meaning: `The ${box} answers with server errors (5xx).`,
      metric: api.metricServerError({ period: fiveMinutes, statistic: 'Sum' }),
      atLeast: 5,
      periods: 2,
    });
  }

  watchDeletions() {
    this.#raise({
      name: 'deletions-refused',
      meaning: 'AWS refuses a deletion that DCM has requested: what should be deleted still runs.',
      metric: counted('deletionsRefused', 'provider-api'),
      atLeast: 1,
      periods: 1,
    });
  }

  watchCanary() {
    const atMs = fiveMinutes.toMilliseconds();
    this.#raise({
      name: 'canary-late',
      meaning: 'For five minutes no message of the canary has come from the queue to JetStream in time.',
      // Without FILL, CloudWatch would judge older minutes in place of those without data, and be late.
      metric: new MathExpression({
        expression: `FILL(age, ${atMs})`,
        usingMetrics: { age: canaryAge(this.#provider, 'Minimum') },
        period: minute,
      }),
      atLeast: atMs,
      periods: 5,
      isWrongWithoutData: true,
    });
  }

  watchRegistration() {
    this.#raise({
      name: 'registration-refused',
      meaning: 'DCM refuses to register the provider, and a retry does not help.',
      metric: counted('registrationRefused', 'registration'),
      atLeast: 1,
      periods: 1,
    });
    this.#raise({
      name: 'registration-unreachable',
      meaning: 'DCM could not be reached for a quarter of an hour to register the provider.',
      metric: counted('registrationUnreachable', 'registration'),
      atLeast: 1,
      periods: 3,
    });
  }

  #raiseIfAny(name: string, meaning: string, deadLetters: Queue) {
    const metric = deadLetters.metricApproximateNumberOfMessagesVisible({
      period: minute,
      statistic: 'Maximum',
    });
    this.#raise({ name, meaning, metric, atLeast: 1, periods: 1 });
  }

  #raise({ name, meaning, metric, atLeast, periods, isWrongWithoutData = false }: AlarmSpec) {
    const alarm = new Alarm(this, name, {
      alarmName: `${this.#provider}-${name}`,
      alarmDescription: `${meaning} See docs/runbook.md#${name}`,
      metric,
      threshold: atLeast,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: periods,
      treatMissingData: isWrongWithoutData ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(...this.#actions);
    alarm.addOkAction(...this.#actions);
  }
}

const sumOf = (usingMetrics: Record<string, IMetric>) =>
  new MathExpression({ expression: 'SUM(FILL(METRICS(), 0))', period: fiveMinutes, usingMetrics });

/** A metric that a function counts itself (shared/ports/telemetry.ts). */
export const counted = (metricName: Count, box: FunctionName, period = fiveMinutes) =>
  new Metric({
    namespace: metricsNamespace,
    metricName,
    dimensionsMap: { service: box },
    statistic: 'Sum',
    period,
  });

/** Milliseconds, by minute. */
export const canaryAge = (provider: string, statistic: string) =>
  new Metric({
    namespace: metricsNamespace,
    metricName: 'canaryAgeMs',
    dimensionsMap: { service: 'normaliser' satisfies FunctionName, provider },
    statistic,
    period: minute,
  });

/** @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-monitoring.html the dimensions for a bus that is not the default one */
const lostBy = ({ ruleName }: Rule, bus: EventBus | undefined) =>
  new Metric({
    namespace: 'AWS/Events',
    metricName: 'InvocationsFailedToBeSentToDlq',
    dimensionsMap: { ...(bus && { EventBusName: bus.eventBusName }), RuleName: ruleName },
    statistic: 'Sum',
    period: fiveMinutes,
  });
