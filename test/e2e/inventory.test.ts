import { EC2 } from '@aws-sdk/client-ec2';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { functionNameOf } from '../../infra/functions.ts';
import { ec2Actions } from '../../local/demo/ec2-actions.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import { prod, provider, silentRegion } from '../../local/stack/options.ts';
import { type TestStack, testStack } from './stack.ts';

const soon = 60_000;

const Page = z.object({
  count: z.number(),
  resources: z.array(
    z.looseObject({
      name: z.string(),
      displayName: z.string().optional(),
      state: z.string().optional(),
      status: z.string().optional(),
      managed: z.boolean().optional(),
    }),
  ),
});
const Changes = z.object({
  changes: z.array(
    z.looseObject({ kind: z.string(), change: z.string().optional(), id: z.string().optional() }),
  ),
  next: z.string(),
});

const api = functionNameOf(provider, 'inventory-api');

describe('the inventory', () => {
  let stack: TestStack;
  const read = (path: string, headers: Record<string, string> = {}) =>
    fetch(`${stack.endpoints.inventoryUrl}${path}`, {
      headers: { authorization: `Bearer ${stack.endpoints.inventoryToken}`, ...headers },
    });
  const list = async (path: string) => {
    const answer = await read(path);
    return answer.status === 200 ? Page.parse(await answer.json()) : { count: -1, resources: [] };
  };
  const namesIn = async (path: string) => (await list(path)).resources.map(({ displayName }) => displayName);
  const found = async (target: string, name: string) =>
    (await list(`/targets/${target}/instances?name=${name}`)).resources[0];
  const stateOf = (name: string, target = 'us-east-1') =>
    expect.poll(async () => (await found(target, name))?.state, { timeout: soon, interval: 50 });
  const changesAfter = async (cursor: string) =>
    Changes.parse(await (await read(`/api/v1alpha1/changes?limit=1000&after=${cursor}`)).json());
  const newestCursor = async () => Changes.parse(await (await read('/api/v1alpha1/changes')).json()).next;

  beforeAll(async () => {
    stack = await testStack({
      ...{ accounts: true, generation: 'old', pollFloorSeconds: 1, inventorySeconds: 15 },
      ec2Faults: { refuse: { DescribeAddresses: 'UnauthorizedOperation' } },
    });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('answers 206 without a body while a collection has never been listed, and lists the others', async () => {
    const status = async (path: string) => (await read(path)).status;
    await expect.poll(() => status('/targets/us-west-2/volumes'), { timeout: soon }).toBe(200);
    expect((await list('/targets/us-east-1/subnets')).count).toBeGreaterThan(0);
    for (const target of ['us-east-1', `${prod.alias}/${silentRegion}`]) {
      const unlisted = await read(`/targets/${target}/addresses`);

      expect([unlisted.status, unlisted.headers.get('x-reason')]).toEqual([206, 'collection=addresses']);
      expect(Number(unlisted.headers.get('retry-after'))).toBeGreaterThan(0);
      expect(await unlisted.text()).toBe('');
    }
    stack.ec2?.faults({ refuse: {} });
  });

  it('shows an instance that was launched outside DCM as not managed, and a VM of DCM as managed', async () => {
    await stack.actions.launch({ name: 'pet', owner: 'untagged' });
    await stack.actions.launch({ name: 'ours', owner: 'ours', provider });

    await stateOf('pet').toBe('running');
    await stateOf('ours').toBe('running');
    expect(await found('us-east-1', 'pet')).toMatchObject({ managed: false });
    expect(await found('us-east-1', 'ours')).toMatchObject({ managed: true, status: 'RUNNING' });
  });

  it('shows a change of a state by its event, without a further listing of all instances', async () => {
    const stopped = await stack.actions.launch({ name: 'stopped', owner: 'untagged' });
    await stateOf('stopped').toBe('running');
    const startedAtMs = Date.now();
    await stack.actions.stop(stopped);
    await stateOf('stopped').toBe('stopped');

    expect(Date.now() - startedAtMs).toBeLessThan(5_000);
  });

  it('has what ended no longer, and announces all of it in the change feed', async () => {
    const cursor = await newestCursor();
    const brief = await stack.actions.launch({ name: 'brief', owner: 'ours', provider });
    await stateOf('brief').toBe('running');
    const seen = async () =>
      (await changesAfter(cursor)).changes
        .filter(({ id, dcmId }) => id === brief.instanceId || dcmId === brief.dcmId)
        .map(({ kind, change, status }) => change ?? `${kind} ${status}`);
    await expect.poll(seen, { timeout: soon }).toContain('status RUNNING');
    await stack.actions.terminate(brief);
    await expect
      .poll(() => namesIn('/targets/us-east-1/instances'), { timeout: soon })
      .not.toContain('brief');
    await expect
      .poll(seen, { timeout: soon })
      .toEqual(expect.arrayContaining(['changed', 'ended', 'status RUNNING', 'status DELETED']));
  });

  it('answers from a cold start while EC2, ECS and EKS do not answer: it never asks them', async () => {
    const paths = ['instances', 'images', 'subnets', 'containers', 'clusters'].map(
      (collection) => `/targets/${prod.alias}/us-east-1/${collection}`,
    );
    const statuses = async () =>
      (await Promise.all(paths.map((path) => read(path)))).map(({ status }) => status);
    await expect.poll(statuses, { timeout: soon }).toEqual(paths.map(() => 200));
    for (const service of [stack.ec2, stack.ecs, stack.eks]) service?.faults({ outage: 'hangs' });
    stack.lambda.kill(api);
    await expect.poll(() => stack.lambda.pids(api), { timeout: soon }).toEqual([]);
    const during = await statuses();
    for (const service of [stack.ec2, stack.ecs, stack.eks]) service?.faults({ outage: undefined });

    expect(during).toEqual(paths.map(() => 200));
  });

  it('does not mix accounts', async () => {
    const { ec2Url, prodAccessKeyId } = stack.endpoints;
    const ec2 = new EC2(clientConfig(ec2Url, 'us-east-1', prodAccessKeyId));
    const theirs = await ec2Actions(ec2, () => {}).launch({ name: 'theirs', owner: 'untagged' });
    ec2.destroy();

    await stateOf('theirs', `${prod.alias}/us-east-1`).toBe('running');
    expect(await namesIn('/targets/us-east-1/instances')).not.toContain('theirs');
    expect(await namesIn(`/targets/${prod.alias}/us-east-1/instances`)).not.toContain('pet');
    const inVpc = `/namespaces/${prod.alias}/clusters/us-east-1/namespaces/${(await found(`${prod.alias}/us-east-1`, 'theirs'))?.namespace}`;
    expect((await list(`${inVpc}/pods`)).resources.map(({ name }) => name)).toEqual([theirs.instanceId]);
  });

  it('refuses requests without credentials, and lets web pages read the answers', async () => {
    const url = `${stack.endpoints.inventoryUrl}/targets/us-east-1/instances`;
    const origin = 'https://console.example.com';
    const preflight = await fetch(url, {
      method: 'OPTIONS',
      headers: {
        origin,
        'access-control-request-method': 'GET',
        'access-control-request-headers': 'authorization',
      },
    });

    expect((await fetch(url)).status).toBe(401);
    expect((await fetch(`${stack.endpoints.inventoryUrl}/schema`)).status).toBe(200);
    expect(preflight.status).toBeLessThan(300);
    expect(preflight.headers.get('access-control-allow-origin')).toMatch(
      /^(\*|https:\/\/console.example.com)$/,
    );
    expect(
      (await read('/targets/us-east-1/instances', { origin })).headers.get('access-control-allow-origin'),
    ).toMatch(/^(\*|https:\/\/console.example.com)$/);
  });

  it('sends changes over one connection that stays open, to a page that keeps the cursor', async () => {
    const cursor = await newestCursor();
    const response = await read('/api/v1alpha1/changes', {
      accept: 'text/event-stream',
      'last-event-id': cursor,
    });
    const decoder = new TextDecoder();
    let text = '';
    let second: string | undefined;
    const received = (async () => {
      for await (const bytes of response.body ?? []) {
        text += decoder.decode(bytes, { stream: true });
        if (second !== undefined && text.includes(second)) return;
      }
    })();
    const first = (await stack.actions.launch({ name: 'shown', owner: 'untagged' })).instanceId;
    await expect.poll(() => text, { timeout: soon }).toContain(first);
    second = (await stack.actions.launch({ name: 'shown later', owner: 'untagged' })).instanceId;
    await received;

    expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
    const lastId = [...text.matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? '';
    expect((await changesAfter(lastId)).changes.map(({ id }) => id)).not.toContain(first);
    expect((await changesAfter(cursor)).changes.map(({ id }) => id)).toEqual(
      expect.arrayContaining([first, second]),
    );
  });

  it('lists a collection completely once EC2 permits it', async () => {
    const addresses = () => list('/targets/us-east-1/addresses');

    await expect.poll(async () => (await addresses()).count, { timeout: 2 * soon }).toBe(0);
  });
});
