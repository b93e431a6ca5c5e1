import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  ProvisionedThroughputExceededException,
} from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoDbResourceStore } from '../../../../shared/adapters/dynamodb/resource-store.ts';
import { UnavailableError, UnreadableError } from '../../../../shared/core/errors.ts';
import type { Resource } from '../../../../shared/core/resource.ts';
import type { ResourceStore } from '../../../../shared/ports/resource-store.ts';
import { kinds } from '../../../../shared/service-types/kinds.ts';
import { vmKind } from '../../../../shared/service-types/vm/kind.ts';
import { dcmId, observed, resourceId, spotWarning } from '../../../fixtures/resource-messages.ts';
import { noticeStatus, statusOf } from '../../../fixtures/statuses.ts';
import { mockedClient } from '../../../mocked-client.ts';

const dynamoDb = mockedClient(DynamoDBDocumentClient);
const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const resourceStore = dynamoDbResourceStore(client, 'fleet', kinds);
const other = 'i-1a2b3c4d';

const claim = { resourceId, dcmId, region: 'us-east-1', account: '123456789012' };
const vm: Resource = { kind: vmKind, ...claim, sequence: 0, outbox: [], history: [] };
const running = observed('running');
const itemOf = (pk: string, more: object = {}) => ({
  pk,
  vmId: dcmId,
  region: 'us-east-1',
  account: '123456789012',
  sequence: 0,
  outbox: {},
  history: {},
  ...more,
});
const throttled = new ProvisionedThroughputExceededException({ message: 'slow down', $metadata: {} });

const calls: readonly (readonly [string, (resourceStore: ResourceStore) => Promise<unknown>])[] = [
  ['recalling', ({ read }) => read([resourceId])],
  ['claiming', (one) => one.claim(claim)],
  ['disclaiming', ({ markForeign }) => markForeign([resourceId])],
  ['releasing', ({ removeOwnership: release }) => release(resourceId)],
  ['recording', ({ record }) => record(running, statusOf(running))],
  [
    'noticing',
    ({ notify }) => notify(vm, spotWarning(), noticeStatus({ ...vm, state: 'running' }, spotWarning())),
  ],
  ['repeating', ({ republish: repeat }) => repeat(vm, statusOf(running))],
  ['settling', ({ settle }) => settle(vm, ['17873946001'])],
];

beforeEach(() => void dynamoDb.reset());

describe('the fleet in DynamoDB, which throttles', () => {
  it.each(calls)('is unavailable for %s, and says for what', async (_, call) => {
    dynamoDb.onAnyCommand().rejects(throttled);

    const calling = call(resourceStore);

    await expect(calling).rejects.toThrow(UnavailableError);
    await expect(calling).rejects.toThrow(
      /the DynamoDB table did not (read|write) (1 instance|i-1234567890abcdef0)/,
    );
    await expect(calling).rejects.toMatchObject({ cause: throttled });
  });

  it('is unavailable where a refused write cannot be explained', async () => {
    const refused = new ConditionalCheckFailedException({ message: 'refused', $metadata: {} });
    dynamoDb.on(UpdateCommand).rejects(refused);
    dynamoDb.on(GetCommand).rejects(throttled);

    await expect(resourceStore.record(running, statusOf(running))).rejects.toThrow(UnavailableError);
  });
});

describe('the fleet in DynamoDB, recalling many', () => {
  const unprocessed = (...keys: string[]) => ({ fleet: { Keys: keys.map((pk) => ({ pk })) } });
  const asked = () =>
    dynamoDb
      .commandCalls(BatchGetCommand)
      .map(({ args }) => args[0].input.RequestItems?.fleet?.Keys?.map(({ pk }) => pk));

  it('asks again for what DynamoDB left out', async () => {
    dynamoDb
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { fleet: [itemOf(other)] },
        UnprocessedKeys: unprocessed(resourceId),
      })
      .resolves({ Responses: { fleet: [itemOf(resourceId)] } });

    const found = await resourceStore.read([resourceId, other]);

    expect([...found.values()].map(({ owner }) => owner)).toEqual(['ours', 'ours']);
    expect(asked()).toEqual([[resourceId, other], [resourceId]]);
  });

  it('is unavailable where DynamoDB leaves out everything: no answer is not “unknown”', async () => {
    dynamoDb.on(BatchGetCommand).resolves({ UnprocessedKeys: unprocessed(resourceId, other) });

    await expect(resourceStore.read([resourceId, other])).rejects.toThrow(UnavailableError);
  });

  it('asks for a hundred at a time, each once', async () => {
    dynamoDb.on(BatchGetCommand).resolves({});
    const ids = Array.from({ length: 250 }, (_, n) => `i-${n}`);

    const found = await resourceStore.read([...ids, ...ids]);

    expect([found.size, asked().map((keys) => keys?.length)]).toEqual([250, [100, 100, 50]]);
  });

  it('asks for nothing where there is nothing to recall', async () => {
    expect([(await resourceStore.read([])).size, asked()]).toEqual([0, []]);
  });
});

describe('the fleet in DynamoDB, with an item of a version that kept one notice in all', () => {
  it('has that notice beside those of other kinds that came later', async () => {
    const spot = { notice: 'spot-interruption', at: 1_787_394_600, text: 'spot' };
    const rebalance = { at: 1_787_394_660, text: 'rebalance' };
    const items = [
      itemOf(resourceId, { notice: spot, 'notice#rebalance-recommendation': rebalance }),
      itemOf(other, { notice: spot }),
    ];
    dynamoDb.on(BatchGetCommand).resolves({ Responses: { fleet: items } });

    const found = await resourceStore.read([resourceId, other]);

    const kept = { 'spot-interruption': { at: spot.at, text: 'spot' } };
    expect([...found.values()]).toMatchObject([
      { vm: { notices: { ...kept, 'rebalance-recommendation': rebalance } } },
      { vm: { notices: kept } },
    ]);
  });
});

describe('the fleet in DynamoDB, with an item that somebody damaged (C33)', () => {
  it.each([
    { what: 'without a region', more: { region: undefined } },
    { what: 'without an outbox', more: { outbox: undefined } },
    { what: 'in a state that is none', more: { state: 'rebooting' } },
    { what: 'with a sequence that is text', more: { sequence: '17873946001' } },
    { what: 'with an outbox of something else', more: { outbox: { '17873946001': { status: 'RUNNING' } } } },
  ])('names it and leaves the others alone: an item $what', async ({ more }) => {
    const item = itemOf(resourceId, more);
    dynamoDb.on(BatchGetCommand).resolves({ Responses: { fleet: [item, itemOf(other)] } });
    dynamoDb.on(UpdateCommand).resolves({ Attributes: item });

    const found = await resourceStore.read([resourceId, other]);
    const recording = resourceStore.record(running, statusOf(running));

    expect(found.get(resourceId)).toMatchObject({
      owner: 'unreadable',
      error: { message: expect.stringContaining(resourceId) },
    });
    expect(found.get(other)).toMatchObject({ owner: 'ours' });
    await expect(recording).rejects.toThrow(UnreadableError);
    await expect(recording).rejects.toThrow(resourceId);
  });

  it('does not write over it', async () => {
    const refused = new ConditionalCheckFailedException({ message: 'refused', $metadata: {} });
    dynamoDb.on(UpdateCommand).rejects(refused);
    dynamoDb.on(GetCommand).resolves({ Item: itemOf(resourceId, { state: 'rebooting' }) });

    const recording = resourceStore.record(running, statusOf(running));

    await expect(recording).rejects.toThrow(UnreadableError);
  });
});
