import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';

type ItemAction =
  `dynamodb:${'GetItem' | 'BatchGetItem' | 'UpdateItem' | 'PutItem' | 'DeleteItem' | 'ConditionCheckItem' | 'Scan' | 'Query' | 'BatchWriteItem'}`;

/** Allows actions on the items of a table, but not on its indexes, which the table's own grants include. */
export const grantItems = (table: Table, grantee: IGrantable, ...actions: ItemAction[]): void => {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [table.tableArn] }));
};
