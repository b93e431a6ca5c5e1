import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { changeFeed, changeFeedTimeoutSeconds } from '../functions.ts';
import { deadLetterQueue } from './dead-letter-queue.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { RetriedQueue } from './retried-queue.ts';

export type StatusBusProps = {
  readonly defaults: FunctionDefaults;
  /** Our name at DCM. */
  readonly provider: string;
  /** The inventory's table, which has the change feed. */
  readonly inventory: Table;
};

/** Normaliser ─► bus, with an archive ─► rule ─► queue ─► change-feed ─► the change feed in the inventory's table. */
export class StatusBus extends Construct {
  readonly bus: EventBus;
  readonly function: LambdaFunction;
  /** From the bus to the queue. */
  readonly rule: Rule;
  readonly changes: RetriedQueue;
  /** Statuses that EventBridge could not put into the queue. */
  readonly undelivered: Queue;

  constructor(scope: Construct, id: string, { defaults, provider, inventory }: StatusBusProps) {
    super(scope, id);
    const eventPattern = { source: [`dcm/providers/${provider}`] };
    this.bus = new EventBus(this, 'Bus', { eventBusName: `dcm-${provider}-status` });
    this.bus.archive('Archive', { eventPattern, retention: Duration.days(30) });

    this.changes = new RetriedQueue(this, 'Changes', {
      consumerTimeout: Duration.seconds(changeFeedTimeoutSeconds),
    });
    this.undelivered = deadLetterQueue(this, 'Undelivered');
    this.rule = new Rule(this, 'Rule', {
      eventBus: this.bus,
      eventPattern,
      targets: [
        new SqsQueue(this.changes.queue, {
          deadLetterQueue: this.undelivered,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });

    const { queue, deadLetters } = this.changes;
    this.function = functionWithDefaults(this, {
      defaults,
      spec: changeFeed({
        inventoryTable: inventory.tableName,
        queueUrl: queue.queueUrl,
        deadLetterQueueUrl: deadLetters.queueUrl,
      }),
    });
    // Few at a time: they would only wait for each other at the end of the feed.
    this.function.addEventSource(
      new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    deadLetters.grantSendMessages(this.function);
    grantItems(inventory, this.function, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query');
  }
}
