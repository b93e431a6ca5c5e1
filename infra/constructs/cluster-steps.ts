import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import { clusterSteps, clusterStepsTimeoutSeconds, type Deployment } from '../functions.ts';
import type { Settings } from '../settings/settings.ts';
import { grantClusterSteps } from './cluster-permissions.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import { RetriedQueue } from './retried-queue.ts';

type ClusterStepsProps = {
  readonly defaults: FunctionDefaults;
  readonly deployment: Deployment;
  readonly settings: Settings;
  readonly steps: RetriedQueue;
  readonly observations: RetriedQueue;
  readonly resourceStore: Table;
};

/** Requests for the next steps of clusters, which the provider-api and the poller send, and the function itself for the step after. */
export const clusterStepsQueue = (scope: Construct, id: string): RetriedQueue =>
  new RetriedQueue(scope, id, { consumerTimeout: Duration.seconds(clusterStepsTimeoutSeconds) });

/** Takes the steps of creating and deleting clusters. Runs outside any VPC, where AWS's services need no NAT or endpoint. */
export class ClusterSteps extends Construct {
  readonly function: LambdaFunction;

  constructor(scope: Construct, id: string, props: ClusterStepsProps) {
    super(scope, id);
    const { defaults, deployment, settings, steps, observations, resourceStore } = props;
    const { queue, deadLetters } = steps;
    this.function = functionWithDefaults(this, {
      defaults,
      spec: clusterSteps(deployment, {
        queueUrl: queue.queueUrl,
        deadLetterQueueUrl: deadLetters.queueUrl,
      }),
    });
    // Few at a time: EKS throttles callers that ask about many clusters at once.
    this.function.addEventSource(
      new SqsEventSource(queue, { batchSize: 1, reportBatchItemFailures: true, maxConcurrency: 2 }),
    );
    queue.grantSendMessages(this.function);
    deadLetters.grantSendMessages(this.function);
    observations.queue.grant(this.function, 'sqs:SendMessage');
    grantItems(resourceStore, this.function, 'dynamodb:GetItem', 'dynamodb:BatchGetItem');
    grantClusterSteps(this.function, settings);
  }
}
