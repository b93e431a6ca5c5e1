import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { createTable, resourceTable } from '../../local/emulators/dynamodb.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { listingsContract } from '../../test/contract/listings.ts';
import { vmRecordsContract } from '../../test/contract/records.ts';
import { registrationsContract } from '../../test/contract/registrations.ts';
import { resourceStoreContract } from '../../test/contract/resource-store.ts';
import { memoryLog } from '../../test/fakes/silent.ts';

const { MINISTACK_URL: url = '' } = process.env;
const client = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(url)));
await createTable(url, resourceTable('contract'));

resourceStoreContract('ministack: fleet', async (now) =>
  dynamoDbResourceStore(client, 'contract', kinds, now),
);
listingsContract('ministack: listings', async (now) => dynamoDbListings(client, 'contract', now));
registrationsContract('ministack: registrations', async () => dynamoDbRegistrations(client, 'contract'));
vmRecordsContract('ministack: VM records', async (now) =>
  dynamoDbRecords(client, 'contract', vmRecords, memoryLog(), now),
);
