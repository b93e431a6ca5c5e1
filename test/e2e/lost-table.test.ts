import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DeleteCommand, DynamoDBDocumentClient, PutCommand, ScanCommand } from '@aws-sdk/lib-dynamodb';
import { isHTTPError } from 'ky';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionNameOf } from '../../infra/functions.ts';
import { vmSpec } from '../../local/demo/catalog-item.ts';
import { providerApiClient } from '../../local/demo/provider-api-client.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { provider } from '../../local/stack/options.ts';
import { untilNextSecond } from './next-second.ts';
import { type TestStack, testStack } from './stack.ts';
import { instancesOf, newVmId } from './vm-instances.ts';

const soon = 60_000;
const table = `${provider}-fleet`;

/** The recovery that docs/runbook.md describes under "Restore the table", played through. */
describe('the table', () => {
  let stack: TestStack;
  let api: ReturnType<typeof providerApiClient>;
  let dynamoDb: DynamoDBDocumentClient;
  beforeAll(async () => {
    stack = await testStack({ pollFloorSeconds: 1 });
    api = providerApiClient(stack.endpoints);
    dynamoDb = DynamoDBDocumentClient.from(new DynamoDBClient(clientConfig(stack.endpoints.dynamodbUrl)));
  });
  afterAll(async () => {
    dynamoDb.destroy();
    await stack[Symbol.asyncDispose]();
  });

  const items = async () =>
    (await dynamoDb.send(new ScanCommand({ TableName: table, ConsistentRead: true }))).Items ?? [];
  /** What a poll in progress would write back later is lost with its process, as the runbook has it by a concurrency of 0. */
  const replaceItems = async (restored: readonly Record<string, unknown>[]) => {
    for (const name of ['poller', 'normaliser'] as const) stack.lambda.kill(functionNameOf(provider, name));
    for (const { pk } of await items())
      await dynamoDb.send(new DeleteCommand({ TableName: table, Key: { pk } }));
    for (const Item of restored) await dynamoDb.send(new PutCommand({ TableName: table, Item }));
  };
  const published = (dcmId: string) =>
    stack.controlPlane
      .history()
      .filter(({ id }) => id === dcmId)
      .map(({ status }) => status);
  /** The API may not know a VM. Any other error fails the test. */
  const ifUnknown = (error: unknown): undefined => {
    if (!isHTTPError(error) || error.response.status !== 404) throw error;
  };
  const create = async (name: string) => {
    const dcmId = newVmId();
    await api.create(dcmId, vmSpec(name));
    await stack.controlPlane.waitFor(dcmId, 'running', soon);
    return dcmId;
  };

  it('that is empty is filled again from the tags: no VM is deleted, and each can be deleted through the API', async () => {
    const dcmId = await create('kept');
    const handMade = await stack.actions.launch({ name: 'hand-made', owner: 'ours', provider });
    const adoptedId = handMade.dcmId ?? '';
    await stack.controlPlane.waitFor(adoptedId, 'running', soon);
    const before = published(dcmId).length;

    await replaceItems([]);

    await expect.poll(() => published(dcmId).slice(before), { timeout: soon }).toContain('running');
    await expect
      .poll(() => api.get(dcmId).catch(ifUnknown), { timeout: soon })
      .toMatchObject({ status: 'RUNNING' });
    await expect
      .poll(() => api.get(adoptedId).catch(ifUnknown), { timeout: soon })
      .toMatchObject({ status: 'RUNNING', adopted: true });
    expect([...published(dcmId), ...published(adoptedId)]).not.toContain('deleted');
    await expect(api.delete(adoptedId)).rejects.toMatchObject({ response: { status: 409 } });
    await api.delete(dcmId);
    await expect.poll(() => published(dcmId).at(-1), { timeout: soon }).toBe('deleted');
    expect(instancesOf(stack, adoptedId).map(({ state }) => state)).toEqual(['running']);
  });

  it('that is restored from a backup catches up with what happened since', async () => {
    const stopped = await create('stopped-since');
    const deleted = await create('deleted-since');
    const backup = await items();
    await untilNextSecond();
    await api.change(stopped, 'stop');
    await api.delete(deleted);
    const created = await create('created-since');
    await stack.controlPlane.waitFor(stopped, 'stopped', soon);
    await stack.controlPlane.waitFor(deleted, 'deleted', soon);
    const before = [stopped, created].map((dcmId) => published(dcmId).length);

    await replaceItems(backup);

    const last = async (dcmId: string) => (await api.get(dcmId).catch(ifUnknown))?.status ?? 'gone';
    await expect.poll(() => last(stopped), { timeout: soon }).toBe('STOPPED');
    await expect.poll(() => last(created), { timeout: soon }).toBe('RUNNING');
    await expect.poll(() => last(deleted), { timeout: soon }).toBe('gone');
    const since = [stopped, created].map((dcmId, index) => published(dcmId).slice(before[index]));
    expect(since.flat()).not.toContain('deleted');
    await expect.poll(() => published(deleted).at(-1), { timeout: soon }).toBe('deleted');
    expect(instancesOf(stack, created)).toHaveLength(1);
  });
});
