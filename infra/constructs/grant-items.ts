import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';

type ItemAction =
  `dynamodb:${'GetItem' | 'BatchGetItem' | 'UpdateItem' | 'PutItem' | 'DeleteItem' | 'ConditionCheckItem' | 'Scan'}`;

/** Lets somebody do this with the items of a table, and nothing with its indexes, which a grant of the table's own would include. */
export const grantItems = (table: Table, grantee: IGrantable, ...actions: ItemAction[]): void => {
  grantee.grantPrincipal.addToPrincipalPolicy(new PolicyStatement({ actions, resources: [table.tableArn] }));
};
