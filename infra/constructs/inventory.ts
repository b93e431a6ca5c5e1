import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { type Deployment, inventory, inventoryTimeoutSeconds } from '../functions.ts';
import { collectionsKept, reportedTargets, type SettingsWithInventory } from '../settings/inventory.ts';
import { regionNames } from '../settings/reported-regions.ts';
import { grantDescribe } from './describe-instances.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { InventoryTable } from './inventory-table.ts';
import { RetriedQueue } from './retried-queue.ts';

/** What the inventory is kept in, and the queue of events about it. */
export type InventoryStore = {
  readonly settings: SettingsWithInventory;
  readonly table: Table;
  readonly events: RetriedQueue;
};

export const inventoryStore = (scope: Construct, settings: SettingsWithInventory): InventoryStore => ({
  settings,
  table: new InventoryTable(scope, 'Inventory', settings).table,
  events: new RetriedQueue(scope, 'InventoryEvents', {
    consumerTimeout: Duration.seconds(inventoryTimeoutSeconds),
  }),
});

export type InventoryFunctionProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly store: InventoryStore;
};

/** EventBridge's rules ─► queue ─► the function that applies events to the inventory ─► table. Runs outside any VPC. */
export class InventoryFunction extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, { defaults, deployment, store }: InventoryFunctionProps) {
    super(scope, id);
    const { settings, table, events } = store;
    this.function = functionWithDefaults(this, {
      defaults,
      spec: inventory(deployment, {
        tableName: table.tableName,
        queueUrl: events.queue.queueUrl,
        deadLetterQueueUrl: events.deadLetters.queueUrl,
        targets: reportedTargets(settings),
        accountId: Stack.of(this).account,
        collections: collectionsKept(settings),
      }),
    });
    // Few at a time: they would only wait for each other at the end of a collection's changes.
    this.function.addEventSource(
      new SqsEventSource(events.queue, { batchSize: 10, reportBatchItemFailures: true, maxConcurrency: 4 }),
    );
    events.queue.grantSendMessages(this.function);
    events.deadLetters.grantSendMessages(this.function);
    grantInventory(table, this.function);
    grantItems(table, this.function, 'dynamodb:BatchWriteItem');
    grantDescribe(this.function, ['ec2:DescribeInstances'], regionNames(settings));
  }
}

/** Allows reading and changing the inventory, but not deleting from it. */
export const grantInventory = (table: Table, writer: LambdaFunction): void =>
  grantItems(table, writer, 'dynamodb:GetItem', 'dynamodb:PutItem', 'dynamodb:UpdateItem', 'dynamodb:Query');
