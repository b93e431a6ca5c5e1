import { BatchGetCommand, type DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';

const maximumKeys = 100;

type Reading = {
  readonly client: DynamoDBDocumentClient;
  readonly table: string;
  /** Left out: whole items. */
  readonly projection?: string;
  /** Throws what the caller's port promises where DynamoDB does not answer. */
  readonly unavailable: (cause: unknown) => never;
};

/**
 * Reads items by their partition keys, any number of them and each once, a hundred in a call. Keys that DynamoDB leaves unprocessed, which
 * is how it throttles a part of a batch, are asked for again as long as each call brings some; no key is taken for missing because of them.
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
