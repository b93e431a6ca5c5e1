import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { appendStatuses, readStatus } from '../functions/change-feed/append-statuses.ts';
import { readUsage, recordUsage } from '../functions/usage/record-usage.ts';
import { clientConfig } from '../local/emulators/client-config.ts';
import { createTable, inventoryTable } from '../local/emulators/dynamodb.ts';
import { dynamoDbChangeFeed } from '../shared/adapters/dynamodb/change-feed.ts';
import { dynamoDbUsageLedger } from '../shared/adapters/dynamodb/usage-ledger.ts';
import { targetKey } from '../shared/core/target.ts';
import type { StatusBus, StatusOnBus } from '../shared/ports/status-bus.ts';
import { memoryLog } from '../test/fakes/silent.ts';
import { wholeLife } from '../test/fixtures/resource-messages.ts';
import { countCapacity } from './capacity.ts';
import { startTable } from './emulators.ts';
import { meteredNormaliser } from './event-costs.ts';
import type { Figures } from './figures.ts';
import { subjects } from './workload.ts';

const instances = 125;
const events = instances * wholeLife.length;
const table = 'inventory';

/** What the status bus, the change feed and the usage ledger add to an event, where each status comes to them by itself: a batch of them is one write. */
export const feedCosts = async (): Promise<Figures> => {
  const taken: StatusOnBus[] = [];
  const bus: StatusBus = {
    put: async (statuses) => {
      taken.push(...statuses);
      return new Set(statuses.map(({ event }) => event.id));
    },
  };
  const alone = await normaliserWrites(undefined);
  const withBus = await normaliserWrites(bus);
  if (taken.length !== events) throw new Error('Not every status came to the bus.');
  const feed = withBus - alone + (await feedWrites(taken)) / events;
  return {
    feed_write_units_per_event: feed,
    usage_write_units_per_event: feed + (await ledgerWrites(taken)) / events,
  };
};

/** For each event. */
const normaliserWrites = async (bus: StatusBus | undefined): Promise<number> => {
  await using dynamoDb = await startTable();
  using normaliser = meteredNormaliser(dynamoDb.url, bus);
  const ours = subjects(instances, '1');
  await normaliser.claim(ours);
  return (await normaliser.costOfLives(ours, wholeLife)).writes;
};

const feedWrites = async (statuses: readonly StatusOnBus[]): Promise<number> => {
  await using dynamoDb = await startTable();
  await createTable(dynamoDb.url, inventoryTable(table));
  const client = new DynamoDBClient(clientConfig(dynamoDb.url));
  const units = countCapacity(client);
  const feed = dynamoDbChangeFeed(DynamoDBDocumentClient.from(client), table);
  const append = appendStatuses({ feed, now: Date.now, log: memoryLog() });
  for (const { event, target } of statuses) {
    const body = JSON.stringify({ resources: [targetKey(target)], detail: event });
    const message = { messageId: event.id, isRetry: false, resourceMessages: readStatus(body) };
    if ((await append([message])).size > 0) throw new Error('A status is not in the feed.');
  }
  client.destroy();
  return units().writes;
};

const ledgerWrites = async (statuses: readonly StatusOnBus[]): Promise<number> => {
  await using dynamoDb = await startTable();
  await createTable(dynamoDb.url, inventoryTable(table));
  const client = new DynamoDBClient(clientConfig(dynamoDb.url));
  const units = countCapacity(client);
  const ledger = dynamoDbUsageLedger({ client: DynamoDBDocumentClient.from(client), table });
  const record = recordUsage({ ledger, now: Date.now, log: memoryLog(), meter: { count: () => {} } });
  for (const { event, target } of statuses) {
    const body = JSON.stringify({ resources: [targetKey(target)], detail: event });
    const message = { messageId: event.id, isRetry: false, resourceMessages: readUsage(body) };
    if ((await record([message])).size > 0) throw new Error('A status is not in the ledger.');
  }
  client.destroy();
  return units().writes;
};
