import { DynamoDBClient, InternalServerError } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { dynamoDbFirstAnswer } from '../../../../shared/adapters/dynamodb/first-answer.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { mockedClient } from '../../../mocked-client.ts';

const table = mockedClient(DynamoDBDocumentClient);
beforeEach(() => void table.reset());

const client = DynamoDBDocumentClient.from(new DynamoDBClient({ region: 'us-east-1' }));
const environment = (nowMs: number) => dynamoDbFirstAnswer(client, 'fleet', () => nowMs);

describe('the first answer of a version', () => {
  it('is when the first of all execution environments was asked', async () => {
    const held = new Map<string, number>();
    table.on(UpdateCommand).callsFake(async ({ Key, ExpressionAttributeValues }) => {
      const at = held.get(Key.pk) ?? ExpressionAttributeValues[':now'];
      held.set(Key.pk, at);
      return { Attributes: { pk: Key.pk, at } };
    });

    const answers = [
      await environment(1_500_999)('1.0.0'),
      await environment(9_000_000)('1.0.0'),
      await environment(9_000_000)('1.1.0'),
    ];

    expect(answers).toEqual([1_500, 1_500, 9_000]);
  });

  it('is asked for once', async () => {
    table.on(UpdateCommand).resolves({ Attributes: { at: 7 } });
    const firstAnswer = environment(9_000_000);

    await firstAnswer('1.0.0');
    await firstAnswer('1.0.0');

    expect(table.commandCalls(UpdateCommand)).toHaveLength(1);
  });

  it('is unknown where the table does not answer, and asked for again', async () => {
    table
      .on(UpdateCommand)
      .rejectsOnce(new InternalServerError({ message: 'no', $metadata: {} }))
      .resolves({ Attributes: { at: 7 } });
    const firstAnswer = environment(9_000_000);

    await expect(firstAnswer('1.0.0')).rejects.toThrow(UnavailableError);
    expect(await firstAnswer('1.0.0')).toBe(7);
  });
});
