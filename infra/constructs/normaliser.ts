import { Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { EventBus } from 'aws-cdk-lib/aws-events';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { type Deployment, normaliser } from '../functions.ts';
import { accountsOf } from '../settings/accounts.ts';
import { agentStreamsOf } from '../settings/agent.ts';
import { regionNames } from '../settings/reported-regions.ts';
import type { Settings } from '../settings/settings.ts';
import { grantReadClusters, grantReadClusterUpdates } from './cluster-permissions.ts';
import { grantDescribe } from './describe-instances.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import type { RetriedQueue } from './retried-queue.ts';
import { grantDescribeTasks } from './task-permissions.ts';

export type NormaliserProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly settings: Settings;
  readonly observations: RetriedQueue;
  readonly resourceStore: Table;
  readonly bridge: LambdaFunction;
  /** Gets every published status; undefined: there is none. */
  readonly statusBus?: EventBus | undefined;
};

/** Turns observations into statuses and has the nats-bridge publish them. Runs outside any VPC, where AWS's services need no NAT or endpoint. */
export class Normaliser extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { defaults, deployment, settings, observations, resourceStore, bridge, statusBus }: NormaliserProps,
  ) {
    super(scope, id);
    const regions = regionNames(settings);
    this.function = functionWithDefaults(this, {
      defaults,
      spec: normaliser(deployment, {
        deadLetterQueueUrl: observations.deadLetters.queueUrl,
        regions,
        accountId: Stack.of(this).account,
        spotEndsAs: spotEndsAs(settings),
        statusBus: statusBus?.eventBusName,
        startingAs: agentStreamsOf(settings).length > 0 ? 'PROVISIONING' : 'PENDING',
      }),
    });

    // No batching window: it would hold a message of a quiet queue for up to 20 seconds.
    const { maximumConcurrency } = settings.normaliser;
    this.function.addEventSource(
      new SqsEventSource(observations.queue, {
        batchSize: 10,
        reportBatchItemFailures: true,
        maxConcurrency: maximumConcurrency,
      }),
    );
    observations.queue.grantSendMessages(this.function);
    observations.deadLetters.grantSendMessages(this.function);
    grantItems(
      resourceStore,
      this.function,
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:UpdateItem',
    );
    bridge.grantInvokeLatestVersion(this.function);
    statusBus?.grantPutEventsTo(this.function);
    grantDescribe(this.function, ['ec2:DescribeInstances'], regions);
    grantDescribeTasks(this.function, settings);
    grantReadClusters(this.function, settings);
    grantReadClusterUpdates(this.function, settings);
  }
}

/** What the home account's settings say, or else those of the first account that has some: they are the same. */
const spotEndsAs = (settings: Settings) =>
  [settings, ...accountsOf(settings).map(([, account]) => account)].flatMap(
    ({ provisioning }) => provisioning?.spotEndsAs ?? [],
  )[0] ?? 'FAILED';
