import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { type Deployment, poller } from '../functions.ts';
import { collectionsKept } from '../settings/inventory.ts';
import { polledTargets, regionNames } from '../settings/reported-regions.ts';
import type { Settings } from '../settings/settings.ts';
import { grantReadClusters, grantReadClusterUpdates } from './cluster-permissions.ts';
import { grantDescribe } from './describe-instances.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { grantInventory, type InventoryStore } from './inventory.ts';
import { collectionStatements } from './inventory-permissions.ts';
import type { RetriedQueue } from './retried-queue.ts';
import { grantListTasks } from './task-permissions.ts';

export type PollerProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly settings: Settings;
  readonly observations: RetriedQueue;
  /** Undefined without clusters. */
  readonly steps: RetriedQueue | undefined;
  readonly resourceStore: Table;
  /** Undefined without an inventory. */
  readonly inventory?: InventoryStore | undefined;
};

/** Lists instances and queues what differs from the resource store. Runs outside any VPC, where AWS's services need no NAT or endpoint. */
export class Poller extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { defaults, deployment, settings, observations, resourceStore, steps, inventory }: PollerProps,
  ) {
    super(scope, id);
    this.function = functionWithDefaults(this, {
      defaults,
      spec: poller(deployment, {
        regions: polledTargets(settings),
        floorSeconds: settings.polling.floorSeconds,
        inventory: inventory && {
          tableName: inventory.table.tableName,
          queueUrl: inventory.events.queue.queueUrl,
          collections: collectionsKept(inventory.settings),
          seconds: inventory.settings.inventory.intervalSeconds,
        },
      }),
    });
    grantItems(
      resourceStore,
      this.function,
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:UpdateItem',
      'dynamodb:PutItem',
      'dynamodb:Scan',
    );
    observations.queue.grant(this.function, 'sqs:SendMessage');
    steps?.queue.grant(this.function, 'sqs:SendMessage');
    grantDescribe(
      this.function,
      ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'],
      regionNames(settings),
    );
    grantListTasks(this.function, settings);
    grantReadClusters(this.function, settings);
    if (inventory) this.#fillInventory(inventory);
    grantReadClusterUpdates(this.function, settings);
  }
  #fillInventory({ settings, table, events }: InventoryStore) {
    grantInventory(table, this.function);
    events.queue.grant(this.function, 'sqs:SendMessage');
    for (const statement of collectionStatements(
      this.function,
      collectionsKept(settings),
      regionNames(settings),
    ))
      this.function.addToRolePolicy(statement);
  }
}
