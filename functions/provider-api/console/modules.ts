/** What the use cases of the console are made of: one module, which the provider-api loads when the console is first used. */
export { dynamoDbChangeFeed } from '../../../shared/adapters/dynamodb/change-feed.ts';
export { dynamoDbInventoryReader } from '../../../shared/adapters/dynamodb/inventory-reader.ts';
export { inventoryStorage } from '../../../shared/adapters/dynamodb/inventory-storage.ts';
export { dynamoDbListings } from '../../../shared/adapters/dynamodb/listings.ts';
export { readChanges } from '../../../shared/http/changes.ts';
export { permittedChanges } from './changes.ts';
export { overviewType, readOverview } from './overview.ts';
