import { RemovalPolicy } from 'aws-cdk-lib';
import { AttributeType, BillingMode, ProjectionType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Settings } from '../settings/settings.ts';

/**
 * What is remembered of the VMs: an item an instance, and an item a DCM id. It outlives the stack: without it, DELETED could not be told
 * of instances whose tags EC2 has dropped already.
 */
export class ResourceTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, { deletionProtection }: Pick<Settings, 'deletionProtection'>) {
    super(scope, id);
    this.table = new Table(this, 'Table', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      billingMode: BillingMode.PAY_PER_REQUEST,
      timeToLiveAttribute: 'expiresAt',
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      removalPolicy: RemovalPolicy.RETAIN,
      deletionProtection,
    });
    // whole records, so that a page of VMs is one query; state changes write only instances' items, which are not in it
    this.table.addGlobalSecondaryIndex({
      indexName: 'vms-by-region',
      partitionKey: { name: 'listedIn', type: AttributeType.STRING },
      sortKey: { name: 'vmId', type: AttributeType.STRING },
      projectionType: ProjectionType.ALL,
    });
  }
}
