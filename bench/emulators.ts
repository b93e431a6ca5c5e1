import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { createTable } from '../local/emulators/dynamodb.ts';
import { startTogether } from '../local/processes/disposables.ts';
import type { LocalServer } from '../local/processes/loopback.ts';
import type { StackOptions } from '../local/stack/options.ts';
import { type Stack, startStack } from '../local/stack/start-stack.ts';
import { startModule } from './processes.ts';

const Usage = z.object({
  /** By operation, such as `UpdateItem`. */
  requests: z.record(z.string(), z.number()),
  cpuMs: z.number(),
});
/** What an emulator has done since it was started. */
export type Usage = z.infer<typeof Usage>;

export type EmulatorProcess = LocalServer & { usage(): Promise<Usage> };

/** Starts an emulator in a process of its own, so that it does not share an event loop with what is measured. */
const startEmulator = async (service: 'dynamodb' | 'sqs'): Promise<EmulatorProcess> => {
  const emulator = startModule({ url: new URL('./emulator-process.ts', import.meta.url), args: [service] });
  return {
    url: z.url().parse(await emulator.next()),
    usage: async () => {
      emulator.send('usage');
      return Usage.parse(await emulator.next());
    },
    [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose](),
  };
};

/** Name of the table of `startTable`. */
export const tableName = 'fleet';

/** DynamoDB with the provider's table, without its index. */
export const startTable = async (): Promise<EmulatorProcess> => {
  const dynamoDb = await startEmulator('dynamodb');
  await createTable(dynamoDb.url, { name: tableName, partitionKey: { name: 'pk', type: 'S' } });
  return dynamoDb;
};

/** A folder that is removed after use. */
export const temporaryFolder = async (): Promise<AsyncDisposable & { readonly path: string }> => {
  const path = await mkdtemp(join(tmpdir(), 'dcm-ec2-bench-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
};

type MeasuredStack = Stack & { readonly dynamoDb: EmulatorProcess; readonly sqs: EmulatorProcess };

/** The local stack, which logs nothing, with DynamoDB and SQS in processes of their own. */
export const startMeasuredStack = (options: Partial<StackOptions> = {}): Promise<MeasuredStack> =>
  startTogether(async (use) => {
    const folder = await use(temporaryFolder());
    const [dynamoDb, sqs] = await Promise.all([use(startEmulator('dynamodb')), use(startEmulator('sqs'))]);
    const stack = await use(
      startStack({
        ...{ folder: folder.path, dynamodbUrl: dynamoDb.url, sqsUrl: sqs.url },
        ...{ log: () => {}, progress: () => {} },
        ...options,
      }),
    );
    return { ...stack, dynamoDb, sqs };
  });
