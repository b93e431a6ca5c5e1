import { ConditionalCheckFailedException, type DynamoDBClient } from '@aws-sdk/client-dynamodb';
import * as z from 'zod';

const Consumed = z.object({ CapacityUnits: z.number() });
const Output = z.object({
  ConsumedCapacity: z.union([Consumed.transform((one) => [one]), z.array(Consumed)]).default([]),
});

/** What a refused conditional write of an item below 1 KB consumes; its response does not say so. */
const unitsOfRefusal = 1;

/** Has DynamoDB return what each operation of this client consumes, and adds it up: calls, and capacity units. */
export const countCapacity = (client: DynamoDBClient) => {
  const units = { calls: 0, reads: 0, writes: 0 };
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      async (args) => {
        units.calls += 1;
        const kind = /Get|Query|Scan/.test(commandName) ? 'reads' : 'writes';
        const input = { ...args.input, ReturnConsumedCapacity: 'TOTAL' };
        const result = await next({ ...args, input }).catch((error: unknown) => {
          if (error instanceof ConditionalCheckFailedException) units[kind] += unitsOfRefusal;
          throw error;
        });
        units[kind] += unitsOf(result.output);
        return result;
      },
    { step: 'initialize' },
  );
  return (): Readonly<typeof units> => ({ ...units });
};

const unitsOf = (output: unknown): number =>
  Output.parse(output).ConsumedCapacity.reduce((sum, { CapacityUnits }) => sum + CapacityUnits, 0);
