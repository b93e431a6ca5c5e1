import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import type { Accounts } from '../../shared/core/target.ts';
import { authentication } from '../../shared/http/authentication.ts';
import { changesOperation, type ReadsChanges, readChanges } from '../../shared/http/changes.ts';
import { router, targetPaths } from '../../shared/http/router.ts';
import { clientConfig } from '../emulators/client-config.ts';

type Options = {
  readonly dynamodbUrl: string;
  /** The table with the change feed. */
  readonly table: string;
  /** Permits reading the changes. */
  readonly token: string;
  readonly accounts: Accounts;
  readonly log: (line: string) => void;
};

/**
 * The inventory's change feed as event streams that stay open: the operation of the inventory-api in this process, in front of the function,
 * which could only end them with the first changes. Undefined for all other requests. Disposing ends the connections to DynamoDB.
 */
export const startChangeStreams = async ({ dynamodbUrl, table, token, accounts, log }: Options) => {
  const dynamoDb = new DynamoDBClient(clientConfig(dynamodbUrl));
  const line = (message: string, fields = {}) => log(JSON.stringify({ message, ...fields }));
  const clock = { now: Date.now, log: { info: line, warn: line, error: line } };
  const operation = changesOperation<ReadsChanges>({ id: z.string(), logField: 'resourceId' });
  const feed = dynamoDbChangeFeed(DynamoDBDocumentClient.from(dynamoDb), table);
  const useCases = { readChanges: readChanges({ feed, accounts, streams: true, ...clock }) };
  const app = router({
    operations: [operation],
    useCasesIn: () => useCases,
    authentication: authentication({ realm: 'inventory-api', credentials: [{ secret: async () => token }] }),
    targets: targetPaths({ homeRegion: '', accounts: {} }),
    corsOrigins: ['*'],
    correlate: () => undefined,
    ...clock,
  });
  return {
    stream: (request: Request, requestId: string): Promise<Response> | undefined => {
      const isStream = request.headers.get('accept')?.includes('text/event-stream');
      if (!isStream || new URL(request.url).pathname !== operation.path) return undefined;
      return Promise.resolve(app.fetch(request, { requestId }));
    },
    [Symbol.asyncDispose]: async () => dynamoDb.destroy(),
  };
};
