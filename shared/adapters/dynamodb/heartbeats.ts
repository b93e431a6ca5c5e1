import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import { type DynamoDBDocumentClient, GetCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { Heartbeats } from '../../ports/heartbeats.ts';
import { tableError } from './errors.ts';
import { withFormat } from './format.ts';

const Key = { pk: 'heartbeat' };
const second = z.catch(z.int(), 0);
const HeartbeatItem = z.object({ sentAt: second, waitingSince: second, processedAt: second });

/** The heartbeat in the DynamoDB table: one item, `heartbeat`. A time that cannot be read counts as never. */
export const dynamoDbHeartbeats = (client: DynamoDBDocumentClient, table: string): Heartbeats => {
  const refuse = (cause: unknown): never => {
    throw tableError(cause, 'the DynamoDB table did not answer about the heartbeat');
  };

  /** Whether the condition held. */
  const update = (
    UpdateExpression: string,
    ConditionExpression: string,
    ExpressionAttributeValues: Readonly<Record<string, number>>,
  ): Promise<boolean> =>
    client
      .send(
        new UpdateCommand({
          ...{ TableName: table, Key },
          ...withFormat({ UpdateExpression, ConditionExpression, ExpressionAttributeValues }),
        }),
      )
      .then(
        () => true,
        (error: unknown) => (error instanceof ConditionalCheckFailedException ? false : refuse(error)),
      );

  return {
    async read() {
      const { Item } = await client.send(new GetCommand({ TableName: table, Key })).catch(refuse);
      return HeartbeatItem.parse(Item ?? {});
    },

    claim: ({ sentAt, waitingSince }, previousSentAt) =>
      update(
        'SET sentAt = :sentAt, waitingSince = :waitingSince',
        'attribute_not_exists(sentAt) OR sentAt = :previous',
        { ':sentAt': sentAt, ':waitingSince': waitingSince, ':previous': previousSentAt },
      ),

    async processed(sentAt) {
      await update(
        'SET processedAt = :sentAt',
        'attribute_not_exists(processedAt) OR processedAt < :sentAt',
        {
          ':sentAt': sentAt,
        },
      );
    },
  };
};
