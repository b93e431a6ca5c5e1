import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

const maximumKeys = 100;

type Reading = {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** @default whole items */
  readonly projection?: string;
  /** Throws the error of the caller's port where DynamoDB does not answer. */
  readonly unavailable: (cause: unknown) => never;
};

/**
 * Reads items by their partition keys, any number of them and each once, a hundred in a call. DynamoDB throttles part of a batch by leaving
 * keys unprocessed: these are read again as long as each call returns some, and never count as missing.
 * @see https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchGetItem.html
 */
export const batchGet = async (
  { client, table, projection, unavailable }: Reading,
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
      .catch(unavailable);
    const found = Responses?.[table] ?? [];
    const rest = (UnprocessedKeys?.[table]?.Keys ?? []).map(({ pk }) => String(pk));
    if (rest.length === 0) return found;
    if (rest.length === keys.length)
      return unavailable(new Error(`DynamoDB left all of ${keys.length} keys unprocessed`));
    return [...found, ...(await readAll(rest))];
  }
};
