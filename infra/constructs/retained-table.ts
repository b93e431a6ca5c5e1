import { RemovalPolicy } from 'aws-cdk-lib';
import { BillingMode, Table, type TableProps } from 'aws-cdk-lib/aws-dynamodb';
import type { Construct } from 'constructs';
import type { Settings } from '../settings/settings.ts';

/** A table whose items may expire, which is backed up, and which is retained when the stack is deleted. */
export const retainedTable = (
  scope: Construct,
  { deletionProtection }: Pick<Settings, 'deletionProtection'>,
  keys: Pick<TableProps, 'partitionKey' | 'sortKey'>,
): Table =>
  new Table(scope, 'Table', {
    ...keys,
    billingMode: BillingMode.PAY_PER_REQUEST,
    timeToLiveAttribute: 'expiresAt',
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    removalPolicy: RemovalPolicy.RETAIN,
    deletionProtection,
  });
