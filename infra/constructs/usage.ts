import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction as LambdaTarget, SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { usage, usageTimeoutSeconds } from '../functions.ts';
import type { Settings } from '../settings/settings.ts';
import { deadLetterQueue } from './dead-letter-queue.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { RetriedQueue } from './retried-queue.ts';
import type { StatusBus } from './status-bus.ts';

export type UsageProps = {
  readonly defaults: FunctionDefaults;
  readonly settings: Pick<Settings, 'deletionProtection'>;
  readonly status: StatusBus;
};

/** Status bus ─► rule ─► queue ─► the function that keeps the ledger ─► its table. A schedule has it carry what goes on into a new month. */
export class Usage extends Construct {
  readonly table: Table;
  readonly function: LambdaFunction;
  readonly events: RetriedQueue;
  /** From the bus to the queue. */
  readonly rule: Rule;
  /** Statuses that EventBridge could not put into the queue. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { defaults, settings, status }: UsageProps) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.NUMBER },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      deletionProtection: settings.deletionProtection,
    });
    this.events = new RetriedQueue(this, 'Events', {
      consumerTimeout: Duration.seconds(usageTimeoutSeconds),
    });
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    const { queue, deadLetters } = this.events;
    this.rule = new Rule(this, 'Rule', {
      eventBus: status.bus,
      eventPattern: status.eventPattern,
      targets: [
        new SqsQueue(queue, {
          deadLetterQueue: this.undelivered,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });
    this.function = functionWithDefaults(this, {
      defaults,
      spec: usage({
        usageTable: this.table.tableName,
        queueUrl: queue.queueUrl,
        deadLetterQueueUrl: deadLetters.queueUrl,
      }),
    });
    this.function.addEventSource(
      new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 5 }),
    );
    queue.grantSendMessages(this.function);
    deadLetters.grantSendMessages(this.function);
    grantItems(this.table, this.function, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query');
    new Rule(this, 'Carry', {
      description: 'Carries usage that goes on into a new month',
      schedule: Schedule.rate(Duration.hours(1)),
      targets: [
        new LambdaTarget(this.function, {
          event: RuleTargetInput.fromObject({ do: 'carry' }),
          maxEventAge: Duration.hours(1),
          retryAttempts: 2,
        }),
      ],
    });
  }
}
