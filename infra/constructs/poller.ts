import { Duration } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import type { Env } from '../../functions/poller/env.ts';
import { regionNames, reportedRegions } from '../settings/reported-regions.ts';
import { type Settings, tagKeysOf } from '../settings/settings.ts';
import { grantDescribe } from './describe-instances.ts';
import { type FunctionDefaults, functionWithDefaults } from './function-defaults.ts';
import { grantItems } from './grant-items.ts';
import type { ObservationsQueue } from './observations-queue.ts';

export type PollerProps = {
  readonly defaults: FunctionDefaults;
  readonly settings: Settings;
  readonly observations: ObservationsQueue;
  readonly resourceStore: Table;
};

/** Lists instances and queues what differs from the fleet. Runs outside any VPC, where AWS's services are near and free. */
export class Poller extends Construct {
  readonly function: LambdaFunction;

  constructor(
    scope: Construct,
    id: string,
    { defaults, settings, observations, resourceStore }: PollerProps,
  ) {
    super(scope, id);
    this.function = functionWithDefaults(this, {
      defaults,
      box: 'poller',
      description: 'Lists EC2 instances and queues what differs from the fleet',
      timeout: Duration.seconds(15),
      memoryMb: 512,
      environment: {
        FLEET_TABLE: resourceStore.tableName,
        OBSERVATIONS_QUEUE_URL: observations.queue.queueUrl,
        PROVIDER_NAME: settings.provider.name,
        TAG_KEYS: JSON.stringify(tagKeysOf(settings)),
        REGIONS: JSON.stringify(reportedRegions(settings)),
        POLL_FLOOR_SECONDS: String(settings.polling.floorSeconds),
      } satisfies Env,
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
    grantDescribe(
      this.function,
      ['ec2:DescribeInstances', 'ec2:DescribeInstanceStatus'],
      regionNames(settings),
    );
  }
}
