import { AttributeType, ProjectionType, type Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Settings } from '../settings/settings.ts';
import { retainedTable } from './retained-table.ts';

/**
 * The table of the resource store: an item for each instance and for each DCM id. It is retained when the stack is deleted: without it,
 * DELETED could not be published for instances whose tags EC2 has removed.
 */
export class ResourceTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, settings: Pick<Settings, 'deletionProtection'>) {
    super(scope, id);
    this.table = retainedTable(this, settings, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
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
