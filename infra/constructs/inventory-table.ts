import { AttributeType, type Table } from 'aws-cdk-lib/aws-dynamodb';
import { Construct } from 'constructs';
import type { Settings } from '../settings/settings.ts';
import { retainedTable } from './retained-table.ts';

/** The inventory's table, with the change feed. */
export class InventoryTable extends Construct {
  readonly table: Table;

  constructor(scope: Construct, id: string, settings: Pick<Settings, 'deletionProtection'>) {
    super(scope, id);
    this.table = retainedTable(this, settings, {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      sortKey: { name: 'sk', type: AttributeType.NUMBER },
    });
  }
}
