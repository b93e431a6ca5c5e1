import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import type { SQSRecord } from 'aws-lambda';
import { afterAll, describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { serve } from '../../local/processes/loopback.ts';
import { appendLog } from '../../shared/adapters/dynamodb/append-log.ts';
import { RefusedRequestError } from '../../shared/adapters/dynamodb/errors.ts';
import { dynamoDbFirstAnswer } from '../../shared/adapters/dynamodb/first-answer.ts';
import { dynamoDbHeartbeats } from '../../shared/adapters/dynamodb/heartbeats.ts';
import { inventoryStorage } from '../../shared/adapters/dynamodb/inventory-storage.ts';
import { dynamoDbListings } from '../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRecords } from '../../shared/adapters/dynamodb/records.ts';
import { dynamoDbRegistrations } from '../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../shared/adapters/dynamodb/resource-store.ts';
import { ProviderError, UnavailableError } from '../../shared/core/errors.ts';
import { problemOf } from '../../shared/http/problem.ts';
import { partialBatch } from '../../shared/runtime/partial-batch.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { vmRecords } from '../../shared/service-types/vm/record.ts';
import { countingMeter, memoryLog } from '../fakes/silent.ts';

/** What DynamoDB answers to every request. */
let answer = { status: 400, code: 'ValidationException' };
const dynamoDb = await serve(() => {
  const type = `com.amazonaws.dynamodb.v20120810#${answer.code}`;
  return Response.json({ __type: type, message: 'because' }, { status: answer.status });
});
afterAll(() => dynamoDb[Symbol.asyncDispose]());

const client = DynamoDBDocumentClient.from(
  new DynamoDBClient({ ...clientConfig(dynamoDb.url), maxAttempts: 1 }),
);
const place = { target: { region: 'us-east-1' }, collection: 'instances' } as const;
const table = 'fleet';
const store = dynamoDbResourceStore(client, table, kinds);
const records = dynamoDbRecords(client, table, vmRecords, memoryLog());
const registrations = dynamoDbRegistrations(client, table);
const storage = inventoryStorage({ client, table });

const calls: readonly (readonly [string, () => Promise<unknown>])[] = [
  ['read resources', () => store.read(['i-1234567890abcdef0'])],
  ['read a resource', () => store.readConsistently('i-1234567890abcdef0')],
  ['write a resource', () => store.requestDelete('i-1234567890abcdef0')],
  ['read a record', () => records.read('vm-1')],
  ['write a record', () => records.requestDelete('vm-1')],
  ['list records', () => records.list({ region: 'us-east-1' }, '', 1)],
  ['read a listing', () => dynamoDbListings(client, table).due([{ region: 'us-east-1' }])],
  ['write a heartbeat', () => dynamoDbHeartbeats(client, table).processed(1)],
  ['read a heartbeat', () => dynamoDbHeartbeats(client, table).read()],
  ['read a registration', () => registrations.read(['ec2-sp'])],
  ['forget a registration', () => registrations.forget('ec2-sp')],
  ['ask for the first answer', () => dynamoDbFirstAnswer(client, table)('1.0.0')],
  ['append to a log', () => appendLog({ client, table, name: 'x', schema: z.string() }).append(['a'])],
  ['read the inventory', () => storage.head(place)],
  ['write the inventory', () => storage.notePlace(place, true)],
];

const outcomeOf = (call: () => Promise<unknown>) =>
  call().then(
    () => new Error('nothing was thrown'),
    (error: unknown) => error,
  );

describe.each([
  'AccessDeniedException',
  'ResourceNotFoundException',
  'SerializationException',
  'ValidationException',
])('a request that DynamoDB refuses with %s', (code) => {
  it.each(calls)('to %s is a fault of ours, which no retry mends', async (_, call) => {
    answer = { status: 400, code };
    const error = await outcomeOf(call);

    expect(error).toBeInstanceOf(RefusedRequestError);
    expect(error).not.toBeInstanceOf(ProviderError);
    expect(error).toMatchObject({ message: expect.stringContaining(`because (${code}); no retry helps`) });
    expect(problemOf(error).code).toBe('internal');
  });
});

describe.each([
  { status: 400, code: 'ProvisionedThroughputExceededException' },
  { status: 400, code: 'ThrottlingException' },
  { status: 400, code: 'RequestLimitExceeded' },
  { status: 400, code: 'ExpiredTokenException' },
  { status: 500, code: 'InternalServerError' },
  { status: 503, code: 'ServiceUnavailable' },
])('a request that DynamoDB answers with $code', (refusal) => {
  it.each(calls)('to %s may work later', async (_, call) => {
    answer = refusal;

    expect(await outcomeOf(call)).toBeInstanceOf(UnavailableError);
  });
});

describe('a request that does not get as far as DynamoDB', () => {
  it('is a fault of ours where it cannot be written', async () => {
    const registration = { outcome: 'registered', detail: '', at: Number.NaN, providerId: 'p' } as const;

    expect(await outcomeOf(() => registrations.record('ec2-sp', registration))).toBeInstanceOf(
      RefusedRequestError,
    );
  });

  it('may work later where nothing listens', async () => {
    const config = { ...clientConfig('http://127.0.0.1:1'), maxAttempts: 1 };
    const gone = DynamoDBDocumentClient.from(new DynamoDBClient(config));

    expect(await outcomeOf(() => dynamoDbHeartbeats(gone, table).read())).toBeInstanceOf(UnavailableError);
  });

  it('may work later where the time for it is over', async () => {
    const config = { ...clientConfig(dynamoDb.url), maxAttempts: 1 };
    const slow = DynamoDBDocumentClient.from(new DynamoDBClient(config));
    slow.middlewareStack.add(
      (next) => (input) => {
        return next(input).then(() => Promise.reject(new DOMException('late', 'TimeoutError')));
      },
      { step: 'deserialize', priority: 'low' },
    );

    expect(await outcomeOf(() => dynamoDbHeartbeats(slow, table).read())).toBeInstanceOf(UnavailableError);
  });
});

describe('a queued message whose request DynamoDB refuses', () => {
  it('comes again, until SQS puts it into the dead-letter queue, and each time is an error in the log', async () => {
    answer = { status: 400, code: 'ValidationException' };
    const log = memoryLog();
    const batch = partialBatch({
      read: (body) => [body],
      handle: async () => {
        await store.read(['i-1234567890abcdef0']);
        return new Map();
      },
      retries: { postpone: async () => {}, deadLetter: () => Promise.reject(new Error('not by us')) },
      meter: countingMeter(),
      log,
    });

    expect(await batch({ Records: [record] })).toEqual({ batchItemFailures: [{ itemIdentifier: 'm-1' }] });
    expect(log.lines).toEqual(['error: a message is not done; it comes again']);
  });
});

const record: SQSRecord = {
  ...{ messageId: 'm-1', receiptHandle: 'r-1', body: '{}', messageAttributes: {}, md5OfBody: '' },
  attributes: {
    ...{ ApproximateReceiveCount: '1', SentTimestamp: '0' },
    ...{ SenderId: 'events', ApproximateFirstReceiveTimestamp: '0' },
  },
  ...{ eventSource: 'aws:sqs', eventSourceARN: 'arn:aws:sqs:us-east-1:123456789012:observations' },
  awsRegion: 'us-east-1',
};
