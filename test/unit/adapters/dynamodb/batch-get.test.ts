import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { BatchGetCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoDbListings } from '../../../../shared/adapters/dynamodb/listings.ts';
import { dynamoDbRegistrations } from '../../../../shared/adapters/dynamodb/registrations.ts';
import { dynamoDbResourceStore } from '../../../../shared/adapters/dynamodb/resource-store.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { kinds } from '../../../../shared/service-types/kinds.ts';
import { mockedClient } from '../../../mocked-client.ts';

const dynamoDb = mockedClient(DynamoDBDocumentClient);
const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const registration = { outcome: 'registered', detail: '', at: 1, providerId: 'p' };

const readers = [
  {
    what: 'of the fleet',
    keys: ['i-1', 'i-2'],
    item: { expiresAt: 9e9 },
    read: async () => [
      ...(await dynamoDbResourceStore(client, 'fleet', kinds).read(['i-1', 'i-2'])).values(),
    ],
    found: [{ owner: 'foreign' }, { owner: 'foreign' }],
  },
  {
    what: 'of listings',
    keys: ['listing#eu-west-1', 'listing#eu-west-2'],
    item: { dueAtMs: 7 },
    read: async () => [
      ...(
        await dynamoDbListings(client, 'fleet').due([{ region: 'eu-west-1' }, { region: 'eu-west-2' }])
      ).values(),
    ],
    found: [7, 7],
  },
  {
    what: 'of registrations',
    keys: ['registration#a', 'registration#b'],
    item: registration,
    read: async () => [...(await dynamoDbRegistrations(client, 'fleet').read(['a', 'b'])).values()],
    found: [registration, registration],
  },
];

beforeEach(() => void dynamoDb.reset());

describe('a batched read', () => {
  it.each(readers)('$what asks again for the keys that DynamoDB left unprocessed', async (reader) => {
    const [first = '', second = ''] = reader.keys;
    dynamoDb
      .on(BatchGetCommand)
      .resolvesOnce({
        Responses: { fleet: [{ pk: first, ...reader.item }] },
        UnprocessedKeys: { fleet: { Keys: [{ pk: second }] } },
      })
      .resolves({ Responses: { fleet: [{ pk: second, ...reader.item }] } });

    expect(await reader.read()).toEqual(reader.found);
    expect(
      dynamoDb.commandCalls(BatchGetCommand).map(({ args }) => args[0].input.RequestItems?.fleet?.Keys),
    ).toEqual([[{ pk: first }, { pk: second }], [{ pk: second }]]);
  });

  it.each(readers)(
    '$what is unavailable where DynamoDB leaves all keys unprocessed',
    async ({ keys, read }) => {
      dynamoDb
        .on(BatchGetCommand)
        .resolves({ UnprocessedKeys: { fleet: { Keys: keys.map((pk) => ({ pk })) } } });

      await expect(read()).rejects.toThrow(UnavailableError);
    },
  );
});
