import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { startDcm } from './dcm.ts';

const soonMs = 20_000;

const Page = z.object({
  instances: z.array(z.object({ id: z.string() })),
  next_page_token: z.string().optional(),
});

/** Positions and row ids of the first server-sent events; then the request is ended. */
const firstEvents = async ({ body }: Response, count: number): Promise<string[]> => {
  let text = '';
  for await (const chunk of body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const told = [...text.matchAll(/data: (.*)\nid: (\d+)\n\n/g)];
    if (told.length >= count) return told.map(([, data, id]) => `${id} ${JSON.parse(data ?? '').id}`);
  }
  return [];
};
const rfc3339 = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);

describe('control plane, over HTTP', () => {
  let dcm: Awaited<ReturnType<typeof startDcm>>;
  beforeAll(async () => {
    dcm = await startDcm();
    for (const vm of ['vm-1', 'vm-2', 'vm-3']) await dcm.provider.report(vm, 'RUNNING');
    await dcm.controlPlane.waitFor('vm-3', 'running', soonMs);
  });
  afterAll(() => dcm[Symbol.asyncDispose]());

  const get = (path: string, init: RequestInit = {}) => fetch(`${dcm.controlPlane.url}${path}`, init);
  const instances = '/api/v1alpha1/service-type-instances';
  const list = async (query: string) => Page.parse(await (await get(`${instances}${query}`)).json());

  it('answers an instance as DCM does, without the message', async () => {
    const response = await get(`${instances}/vm-1`);

    expect(response.status).toBe(200);
    expect(await response.json()).toEqual({
      id: 'vm-1',
      path: 'service-type-instances/vm-1',
      provider_name: '',
      status: 'running',
      create_time: rfc3339,
      update_time: rfc3339,
    });
  });

  it('answers 404 with a problem for an unknown instance', async () => {
    const response = await get(`${instances}/nope`);

    expect(response.status).toBe(404);
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toEqual({
      type: 'not-found',
      title: 'Instance not found',
      status: 404,
      detail: 'instance nope not found',
    });
  });

  it('lists all instances, oldest first, and no token when there is no next page', async () => {
    const response = await get(instances);

    expect(await response.json()).toEqual({
      instances: ['vm-1', 'vm-2', 'vm-3'].map((id) => expect.objectContaining({ id, status: 'running' })),
    });
  });

  it('lists in pages', async () => {
    const first = await list('?max_page_size=2');
    const second = await list(`?max_page_size=2&page_token=${first.next_page_token}`);

    expect(first).toMatchObject({ instances: [{ id: 'vm-1' }, { id: 'vm-2' }], next_page_token: 'Mg==' });
    expect(second).toEqual({ instances: [{ id: 'vm-3' }] });
  });

  it('answers the first page for an invalid page token', async () => {
    const tokens = ['***', 'Zm9v', '', 'LTE='];

    const pages = await Promise.all(tokens.map((token) => list(`?page_token=${token}`)));

    expect(pages.map((page) => page.instances.length)).toEqual([3, 3, 3, 3]);
  });

  it.each(['0', '101', 'ten', ''])('refuses a page size of "%s"', async (size) => {
    const response = await get(`${instances}?max_page_size=${size}`);

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ type: 'validation-error', status: 400 });
  });

  it('is healthy', async () => {
    const response = await get('/health');

    expect(await response.json()).toEqual({ status: 'ok', path: 'health' });
  });

  it('answers 404 with a problem for any other path', async () => {
    const response = await get('/api/v1alpha1/nothing');

    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({ type: 'not-found', status: 404 });
  });

  describe('streaming its events', () => {
    const listen = async (count: number, path = '/events', headers: Record<string, string> = {}) =>
      firstEvents(await get(path, { headers }), count);

    it('sends the consumed events, oldest first', async () => {
      const told = await listen(3);

      expect(told).toEqual(['1 vm-1', '2 vm-2', '3 vm-3']);
    });

    it("starts after the client's last position", async () => {
      const since = await listen(1, '/events?since=2');
      const lastEventId = await listen(1, '/events', { 'last-event-id': '2' });

      expect(since).toEqual(['3 vm-3']);
      expect(lastEventId).toEqual(['3 vm-3']);
    });

    it('sends all events for a position that does not exist yet', async () => {
      const told = await listen(3, '/events?since=1000');

      expect(told).toEqual(['1 vm-1', '2 vm-2', '3 vm-3']);
    });

    it('sends new events as they are consumed', async () => {
      const listening = listen(1, '/events?since=3');
      await delay(100);
      await dcm.provider.report('vm-1', 'STOPPED');

      const told = await listening;

      expect(told).toEqual(['4 vm-1']);
    });
  });
});

describe('control plane, stopping', () => {
  it('ends open event streams and waits for a status', async () => {
    await using dcm = await startDcm();
    const response = await fetch(`${dcm.controlPlane.url}/events`);
    const waiting = expect(dcm.controlPlane.waitFor('vm-1', 'RUNNING', 60_000)).rejects.toThrow(
      'Row vm-1 did not become running; its statuses were: none.',
    );

    await dcm.controlPlane[Symbol.asyncDispose]();

    await waiting;
    await expect(response.text()).rejects.toThrow('terminated');
    await expect(fetch(`${dcm.controlPlane.url}/health`)).rejects.toThrow('fetch failed');
  });
});
