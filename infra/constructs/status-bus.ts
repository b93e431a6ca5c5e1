import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { EventBus, type EventPattern, Rule } from 'aws-cdk-lib/aws-events';
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
  /** The table of the change feed, which is the inventory's too. Undefined: there is no feed. */
  readonly inventory?: Table | undefined;
};

/** What appends the bus's statuses to the change feed. */
export type FeedOfStatuses = {
  readonly function: LambdaFunction;
  /** From the bus to the queue. */
  readonly rule: Rule;
  readonly changes: RetriedQueue;
  /** Statuses that EventBridge could not put into the queue. */
  readonly undelivered: Queue;
};

/** Normaliser ─► bus, with an archive ─► rule ─► queue ─► change-feed ─► the change feed in the inventory's table. */
export class StatusBus extends Construct {
  readonly bus: EventBus;
  /** Of all statuses. */
  readonly eventPattern: EventPattern;
  /** Undefined without an inventory. */
  readonly feed: FeedOfStatuses | undefined;

  constructor(scope: Construct, id: string, { defaults, provider, inventory }: StatusBusProps) {
    super(scope, id);
    this.eventPattern = { source: [`dcm/providers/${provider}`] };
    this.bus = new EventBus(this, 'Bus', { eventBusName: `dcm-${provider}-status` });
    this.bus.archive('Archive', { eventPattern: this.eventPattern, retention: Duration.days(30) });
    this.feed = inventory && this.#feed(defaults, inventory);
  }

  #feed(defaults: FunctionDefaults, inventory: Table): FeedOfStatuses {
    const changes = new RetriedQueue(this, 'Changes', {
      consumerTimeout: Duration.seconds(changeFeedTimeoutSeconds),
    });
    const undelivered = deadLetterQueue(this, 'Undelivered');
    const rule = new Rule(this, 'Rule', {
      eventBus: this.bus,
      eventPattern: this.eventPattern,
      targets: [
        new SqsQueue(changes.queue, {
          deadLetterQueue: undelivered,
          maxEventAge: Duration.hours(24),
          retryAttempts: 185,
        }),
      ],
    });

    const { queue, deadLetters } = changes;
    const made = functionWithDefaults(this, {
      defaults,
      spec: changeFeed({
        inventoryTable: inventory.tableName,
        queueUrl: queue.queueUrl,
        deadLetterQueueUrl: deadLetters.queueUrl,
      }),
    });
    // Few at a time: they would only wait for each other at the end of the feed.
    made.addEventSource(
      new SqsEventSource(queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    deadLetters.grantSendMessages(made);
    grantItems(inventory, made, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:Query');
    return { function: made, rule, changes, undelivered };
  }
}
