import { setTimeout as sleep } from 'node:timers/promises';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import { dynamoDbChangeFeed } from '../../shared/adapters/dynamodb/change-feed.ts';
import { type Accounts, namedTarget, targetOfKey } from '../../shared/core/target.ts';
import { authentication, type Credentials } from '../../shared/http/authentication.ts';
import { changesOperation, type ReadsChanges, readChanges } from '../../shared/http/changes.ts';
import type { Call } from '../../shared/http/operation.ts';
import { router, targetPaths } from '../../shared/http/router.ts';
import type { ChangeFeed } from '../../shared/ports/change-feed.ts';
import { clientConfig } from '../emulators/client-config.ts';

type Options = {
  readonly dynamodbUrl: string;
  /** The table with the change feed. */
  readonly table: string;
  /** Of those whose streams these are. A stream has only the changes of targets that they open. */
  readonly credentials: readonly Credentials[];
  readonly accounts: Accounts;
  readonly log: (line: string) => void;
};

/** How often an open stream reads the feed at least. */
const readEveryMs = 250;

/**
 * The change feed as event streams that stay open: an API's operation in this process, in front of the function, which could only end them
 * with the first changes. Undefined for all other requests. Disposing ends the connections to DynamoDB.
 */
export const startChangeStreams = async ({ dynamodbUrl, table, credentials, accounts, log }: Options) => {
  const dynamoDb = new DynamoDBClient(clientConfig(dynamodbUrl));
  const line = (message: string, fields = {}) => log(JSON.stringify({ message, ...fields }));
  const clock = { now: Date.now, log: { info: line, warn: line, error: line } };
  const operation = {
    ...changesOperation<ReadsChanges>({ id: z.string(), logField: 'resourceId' }),
    isOfNoTarget: true as const,
  };
  const feed = dynamoDbChangeFeed(DynamoDBDocumentClient.from(dynamoDb), table);
  const permitted = (permits: Call<unknown>['permits']): Pick<ChangeFeed, 'read'> => ({
    async read(after, limit) {
      const page = await feed.read(after, limit);
      const isPermitted = (key: string) => permits({ target: namedTarget(accounts, targetOfKey(key)) });
      return { ...page, changes: page.changes.filter(({ change }) => isPermitted(change.target)) };
    },
  });
  const pause = (ms: number, signal?: AbortSignal) => sleep(Math.min(ms, readEveryMs), undefined, { signal });
  const useCases: ReadsChanges = {
    readChanges: (query, call) =>
      readChanges({ feed: permitted(call.permits), accounts, streams: true, pause, ...clock })(query, call),
  };
  const app = router({
    operations: [operation],
    useCasesIn: () => useCases,
    authentication: authentication({ realm: 'change-streams', credentials }),
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
