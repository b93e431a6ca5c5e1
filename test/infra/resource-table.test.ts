import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, it } from 'vitest';
import { ResourceTable } from '../../infra/constructs/resource-table.ts';
import { resourceTable } from '../../local/emulators/dynamodb.ts';

const stack = new Stack(new App(), 'Stack');
new ResourceTable(stack, 'Fleet', { deletionProtection: true });
const template = Template.fromStack(stack);

describe('the table', () => {
  it('has the index of VMs by region that the laptop’s has', () => {
    const { partitionKey, indexes = [] } = resourceTable('fleet');
    const key = (name: string, KeyType: string) => ({ AttributeName: name, KeyType });

    template.hasResourceProperties('AWS::DynamoDB::Table', {
      KeySchema: [key(partitionKey.name, 'HASH')],
      GlobalSecondaryIndexes: indexes.map((index) => ({
        IndexName: index.name,
        KeySchema: [key(index.partitionKey.name, 'HASH'), key(index.sortKey?.name ?? '', 'RANGE')],
        Projection: { ProjectionType: 'ALL' },
      })),
    });
  });

  it('expires items, and is retained when its stack is deleted', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', {
      TimeToLiveSpecification: { AttributeName: 'expiresAt', Enabled: true },
    });
    template.hasResource('AWS::DynamoDB::Table', { DeletionPolicy: 'Retain' });
  });

  it('has deletion protection if the settings say so', () => {
    template.hasResourceProperties('AWS::DynamoDB::Table', { DeletionProtectionEnabled: true });
  });
});
