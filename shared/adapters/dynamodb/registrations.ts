import { DeleteCommand, type DynamoDBDocumentClient, PutCommand } from '@aws-sdk/lib-dynamodb';
import * as z from 'zod/mini';
import type { Registrations } from '../../ports/registrations.ts';
import { batchGet } from './batch-get.ts';
import { tableError } from './errors.ts';
import { formatAttribute } from './format.ts';

const prefix = 'registration#';
const failure = 'the DynamoDB table did not answer about a registration';

const RegistrationItem = z.object({
  outcome: z.enum(['registered', 'refused', 'unreachable']),
  detail: z.string(),
  at: z.int(),
  providerId: z.string(),
  nextAttemptAt: z.optional(z.int()),
  rowCreatedAt: z.optional(z.int()),
  registeredAt: z.optional(z.int()),
  republishedAt: z.optional(z.int()),
});

/** The results of registrations in the DynamoDB table, one item for each provider; the provider-api's health reads them. */
export const dynamoDbRegistrations = (client: DynamoDBDocumentClient, table: string): Registrations => {
  const refuse = (cause: unknown): never => {
    throw tableError(cause, failure);
  };
  const key = (rowName: string) => ({ pk: `${prefix}${rowName}` });

  return {
    async read(rowNames) {
      const keys = rowNames.map((rowName) => key(rowName).pk);
      const items = await batchGet({ client, table, failure }, keys);
      // An item that cannot be read counts as missing: the next attempt overwrites it.
      return new Map(
        items.flatMap((item) => {
          const parsed = RegistrationItem.safeParse(item);
          return parsed.success ? [[String(item.pk).slice(prefix.length), parsed.data] as const] : [];
        }),
      );
    },

    async record(rowName, registration) {
      const known = Object.entries(registration).filter(([, value]) => value !== undefined);
      const Item = { ...key(rowName), ...formatAttribute, ...Object.fromEntries(known) };
      await client.send(new PutCommand({ TableName: table, Item })).catch(refuse);
    },

    async forget(rowName) {
      await client.send(new DeleteCommand({ TableName: table, Key: key(rowName) })).catch(refuse);
    },
  };
};
