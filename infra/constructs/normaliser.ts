import { Duration, Stack } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { Construct } from 'constructs';
import type { Env } from '../../functions/normaliser/env.ts';
import { regionNames } from '../settings/reported-regions.ts';
import { type Settings, tagKeysOf } from '../settings/settings.ts';
import { grantDescribe } from './describe-instances.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import type { ObservationsQueue } from './observations-queue.ts';

export type NormaliserProps = {
  readonly defaults: FunctionDefaults;
  readonly settings: Settings;
  readonly observations: ObservationsQueue;
  readonly resourceStore: Table;
  readonly bridge: LambdaFunction;
};

/** A call of the nats-bridge fits in it, and what comes before and after. */
export const normaliserTimeout = Duration.seconds(15);

/** Decides what each observation means and has the nats-bridge tell DCM. Runs outside any VPC, where AWS's services are near and free. */
export class Normaliser extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { defaults, settings, observations, resourceStore, bridge }: NormaliserProps,
  ) {
    super(scope, id);
    this.function = functionWithDefaults(this, {
      defaults,
      box: 'normaliser',
      description: 'Turns observations of EC2 instances into DCM statuses',
      timeout: normaliserTimeout,
      memoryMb: 512,
      environment: {
        FLEET_TABLE: resourceStore.tableName,
        NATS_BRIDGE: bridge.functionName,
        OBSERVATIONS_QUEUE_URL: observations.queue.queueUrl,
        DEAD_LETTER_QUEUE_URL: observations.deadLetters.queueUrl,
        REGIONS: JSON.stringify(regionNames(settings)),
        ACCOUNT_ID: Stack.of(this).account,
        PROVIDER_NAME: settings.provider.name,
        TAG_KEYS: JSON.stringify(tagKeysOf(settings)),
        SPOT_ENDS_AS: settings.provisioning?.spotEndsAs ?? 'FAILED',
      } satisfies Env,
    });

    // No batching window: with one, Lambda holds a message of a quiet queue for up to 20 seconds.
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
    grantDescribe(this.function, ['ec2:DescribeInstances'], regionNames(settings));
  }
}
