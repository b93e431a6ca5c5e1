import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import {
  type AttributeDefinition,
  CreateTableCommand,
  DynamoDBClient,
  type KeySchemaElement,
  waitUntilTableExists,
} from '@aws-sdk/client-dynamodb';
import dynalite from 'dynalite';
import { type LocalServer, listen } from '../processes/loopback.ts';
import { clientConfig } from './client-config.ts';
import { exceededLimit } from './dynamodb-limits.ts';

export type DynamoDb = LocalServer & {
  /** Number of requests of each operation, such as `UpdateItem`. */
  operations(): Readonly<Record<string, number>>;
};

/**
 * DynamoDB in memory, in this process: dynalite, preceded by checks of the limits that dynalite does not check. It has no transactions, no
 * time to live and no streams, and ignores `ReturnValuesOnConditionCheckFailure`.
 */
export const startDynamoDb = async (options: { readonly port?: number } = {}): Promise<DynamoDb> => {
  const counts = new Map<string, number>();
  const dynaliteServer = dynalite({ createTableMs: 0, deleteTableMs: 0 }); // does not listen itself
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    const { method, url, headers } = request;
    const operation = String(headers['x-amz-target']).split('.').at(-1) ?? '';
    counts.set(operation, (counts.get(operation) ?? 0) + 1);
    const body = await buffer(request);
    const fault = exceededLimit(parsed(body));
    if (fault !== undefined) return refuse(response, fault);
    dynaliteServer.emit('request', Object.assign(Readable.from([body]), { method, url, headers }), response);
  };
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy()); // the client closed the connection
  });
  return { ...(await listen(server, options.port)), operations: () => Object.fromEntries(counts) };
};

const parsed = (body: Buffer): unknown => {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined; // dynalite answers the error
  }
};

const refuse = (response: ServerResponse, message: string): void => {
  response.writeHead(400, { 'content-type': 'application/x-amz-json-1.0' });
  response.end(JSON.stringify({ __type: 'com.amazon.coral.validate#ValidationException', message }));
};

type Key = { readonly name: string; readonly type: 'S' | 'N' | 'B' };
type Keys = { readonly partitionKey: Key; readonly sortKey?: Key };

/** Description of a table; every index projects all attributes. */
export type Table = Keys & {
  readonly name: string;
  readonly indexes?: readonly (Keys & { readonly name: string })[];
};

/** The resource table, as infra/constructs/resource-table.ts has it. */
export const resourceTable = (name: string): Table => ({
  name,
  partitionKey: { name: 'pk', type: 'S' },
  indexes: [
    {
      name: 'vms-by-region',
      partitionKey: { name: 'listedIn', type: 'S' },
      sortKey: { name: 'vmId', type: 'S' },
    },
  ],
});

/** The inventory's table, with the change feed. */
export const inventoryTable = (name: string): Table => ({
  name,
  partitionKey: { name: 'pk', type: 'S' },
  sortKey: { name: 'sk', type: 'N' },
});

/** Creates a table in the DynamoDB at `url`, and waits until it exists. */
export const createTable = async (url: string, { indexes = [], ...table }: Table): Promise<void> => {
  const client = new DynamoDBClient(clientConfig(url));
  const globalIndexes = indexes.map(({ name, ...keys }) => ({
    IndexName: name,
    KeySchema: keySchema(keys),
    Projection: { ProjectionType: 'ALL' as const },
  }));
  await client.send(
    new CreateTableCommand({
      TableName: table.name,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: attributes([table, ...indexes]),
      KeySchema: keySchema(table),
      ...(globalIndexes.length > 0 && { GlobalSecondaryIndexes: globalIndexes }),
    }),
  );
  const waiter = { client, minDelay: 0.005, maxDelay: 0.05, maxWaitTime: 10 }; // seconds
  await waitUntilTableExists(waiter, { TableName: table.name });
  client.destroy();
};

const keySchema = ({ partitionKey, sortKey }: Keys): KeySchemaElement[] => [
  { AttributeName: partitionKey.name, KeyType: 'HASH' },
  ...(sortKey ? [{ AttributeName: sortKey.name, KeyType: 'RANGE' as const }] : []),
];

const attributes = (keys: readonly Keys[]): AttributeDefinition[] => {
  const types = new Map<string, Key['type']>();
  for (const { partitionKey, sortKey } of keys) {
    types.set(partitionKey.name, partitionKey.type);
    if (sortKey) types.set(sortKey.name, sortKey.type);
  }
  return [...types].map(([AttributeName, AttributeType]) => ({ AttributeName, AttributeType }));
};
