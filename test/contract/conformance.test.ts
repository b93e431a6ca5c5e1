import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { serve } from '../../local/parts/loopback.ts';
import { conformance } from '../conformance/conformance.ts';
import type { Result } from '../conformance/run.ts';
import type { FakeProvider } from '../unit/conformance/defect.ts';
import { token } from '../unit/conformance/fake-api.ts';
import { fakeProvider } from '../unit/conformance/fake-provider.ts';
import { startTestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());
const agentStream = 'dcm-agent-requests';

/** A provider as others run theirs: behind HTTP, on NATS, in real time. `rewrite` is what it does wrong with its events. */
const startProvider = async (rewrite: (payload: string) => string = (payload) => payload) => {
  const js = jetstream(nats.nc);
  const { streams } = await jetstreamManager(nats.nc);
  let lastTold = Promise.resolve<unknown>(undefined);
  const fake: FakeProvider = fakeProvider({
    publish: (received) => {
      const msgID = received.headers['nats-msg-id'] ?? '';
      lastTold = lastTold.then(() => js.publish(received.subject, rewrite(received.payload), { msgID }));
      return [];
    },
  });
  const server = await serve(async (request) => {
    const key = request.headers.get('idempotency-key');
    const asked =
      key &&
      (await streams.getMessage(agentStream, { last_by_subj: '>' }))?.json<{
        id: string;
        data: { resource_id: string };
      }>();
    if (asked) fake.agentRequests.set(asked.id, asked.data.resource_id);
    const { method, url, headers } = request;
    const body = method === 'POST' ? await request.text() : undefined;
    return fake.handle(new Request(url, { method, headers, ...(body !== undefined && { body }) }));
  });
  const clock = setInterval(() => void fake.advance(100), 20);
  return {
    fake,
    url: server.url,
    async [Symbol.asyncDispose]() {
      clearInterval(clock);
      await lastTold;
      await server[Symbol.asyncDispose]();
    },
  };
};

const run = (provider: string, only: string, onResult = () => {}, cancel = new AbortController().signal) =>
  conformance(
    { provider, token, nats: nats.server.url, serviceType: 'vm', timeout: 10, only },
    { cancel, onResult, say: () => undefined },
  );

const told = (results: readonly Result[]) => results.filter(({ verdict }) => verdict !== 'pass');

beforeEach(() => nats.resetStream()); // each provider begins to count its events anew
beforeAll(async () => {
  const { streams } = await jetstreamManager(nats.nc);
  await streams.add({ name: agentStream, subjects: ['dcm.agent.>'], retention: RetentionPolicy.Workqueue });
});

it('passes a provider over HTTP and NATS, and leaves nothing behind', async () => {
  await using provider = await startProvider();

  const results = await run(provider.url, 'H,C,F,G,D,I,B,A,E,O');

  expect(told(results)).toEqual([]);
  expect([...provider.fake.vms.values()].filter(({ status }) => status !== 'DELETING')).toEqual([]);
  const { streams } = await jetstreamManager(nats.nc);
  expect((await streams.info(agentStream)).state.messages).toBe(0);
});

it('sees events as they are on the wire', async () => {
  await using provider = await startProvider((payload) => payload.replace('"RUNNING"', '"Running"'));

  const results = await run(provider.url, 'E6,E8,E10');

  expect(results).toMatchObject([
    { id: 'E6', verdict: 'fail', reason: expect.stringContaining('status is Running') },
    { id: 'E8', verdict: 'pass' },
    { id: 'E10', verdict: 'pass' },
  ]);
});

it('deletes what it created also when it is interrupted', async () => {
  await using provider = await startProvider();
  const interrupted = new AbortController();

  const results = await run(provider.url, 'C', () => interrupted.abort(), interrupted.signal);

  expect(results.map(({ id }) => id)).toEqual(['C1']);
  expect(provider.fake.vms.size).toBeGreaterThan(0);
  expect([...provider.fake.vms.values()].filter(({ status }) => status !== 'DELETING')).toEqual([]);
});

it('says that the stream is missing before it makes any check', async () => {
  await using provider = await startProvider();
  await nats.removeStream();

  await expect(run(provider.url, 'E')).rejects.toThrow('no stream has the subject dcm.vm');
});
