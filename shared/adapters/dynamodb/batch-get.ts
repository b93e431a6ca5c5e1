import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { UnavailableError } from '../../core/errors.ts';
import { tableError } from './errors.ts';

const maximumKeys = 100;

type Reading = {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** @default whole items */
  readonly projection?: string;
  /** For the error's message, as in "the DynamoDB table did not read 3 instances". */
  readonly failure: string;
};

/**
 * Reads items by their partition keys, any number of them and each once, a hundred in a call. DynamoDB throttles part of a batch by leaving
 * keys unprocessed: these are read again as long as each call returns some, and never count as missing.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 */
export const batchGet = async (
  { client, table, projection, failure }: Reading,
  partitionKeys: Iterable<string>,
): Promise<Record<string, unknown>[]> => {
  const unread = [...new Set(partitionKeys)];
  const items: Record<string, unknown>[] = [];
  while (unread.length > 0) items.push(...(await readAll(unread.splice(0, maximumKeys))));
  return items;

  async function readAll(keys: readonly string[]): Promise<Record<string, unknown>[]> {
    const Keys = keys.map((pk) => ({ pk }));
    const request = { Keys, ...(projection !== undefined && { ProjectionExpression: projection }) };
    const { Responses, UnprocessedKeys } = await client
      .send(new BatchGetCommand({ RequestItems: { [table]: request } }))
      .catch((cause: unknown) => {
        throw tableError(cause, failure);
      });
    const found = Responses?.[table] ?? [];
    const rest = (UnprocessedKeys?.[table]?.Keys ?? []).map(({ pk }) => String(pk));
    if (rest.length === 0) return found;
    if (rest.length === keys.length)
      throw new UnavailableError(`${failure}: DynamoDB left all of ${keys.length} keys unprocessed`);
    return [...found, ...(await readAll(rest))];
  }
};
