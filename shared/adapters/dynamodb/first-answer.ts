import { type DynamoDBDocumentClient, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import type { Clock } from '../../ports/clock.ts';
import type { FirstAnswer } from '../../ports/health-probes.ts';
import { tableError } from './errors.ts';
import { withFormat } from './format.ts';

/** One item for each version in the DynamoDB table, `health#<version>`; read once by each execution environment. */
export const dynamoDbFirstAnswer = (
  client: DynamoDBDocumentClient,
  table: string,
  now: Clock = Date.now,
): FirstAnswer => {
  const known = new Map<string, number>();

  return async (version) => {
    const held = known.get(version);
    if (held !== undefined) return held;
    const command = new UpdateCommand({
      TableName: table,
      Key: { pk: `health#${version}` },
      ...withFormat({
        UpdateExpression: 'SET #at = if_not_exists(#at, :now)',
        ExpressionAttributeNames: { '#at': 'at' },
        ExpressionAttributeValues: { ':now': Math.floor(now() / 1000) },
      }),
      ReturnValues: 'ALL_NEW',
    });
    const { Attributes } = await client.send(command).catch((cause: unknown) => {
      throw tableError(cause, 'the DynamoDB table does not answer');
    });
    const at = Number(Attributes?.at);
    known.set(version, at);
    return at;
  };
};
