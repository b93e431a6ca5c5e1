import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { conformance } from '../../conformance/conformance.ts';
import { chosenGroups } from '../../conformance/groups.ts';
import { givenBy } from '../../conformance/options.ts';
import type { Result } from '../../conformance/run.ts';
import { serve } from '../../local/processes/loopback.ts';
import type { FakeProvider } from '../unit/conformance/defect.ts';
import { token } from '../unit/conformance/fake-api.ts';
import { fakeProvider } from '../unit/conformance/fake-provider.ts';
import { startTestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());
const agentStream = 'dcm-agent-requests';
const topic = 'aws-conformance';

/** A provider as others run theirs: behind HTTP, on NATS, in real time. `rewrite` is what it does wrong with its events. */
const startProvider = async (rewrite: (payload: string) => string = (payload) => payload) => {
  const js = jetstream(nats.nc);
  const { streams } = await jetstreamManager(nats.nc);
  let lastPublished = Promise.resolve<unknown>(undefined);
  const fake: FakeProvider = fakeProvider({
    publish: (received) => {
      const msgID = received.headers['nats-msg-id'] ?? '';
      lastPublished = lastPublished.then(() =>
        js.publish(received.subject, rewrite(received.payload), { msgID }),
      );
      return [];
    },
  });
  const server = await serve(async (request) => {
    const key = request.headers.get('idempotency-key');
    for (const [stream, on] of [
      [agentStream, 'requests'],
      [`${topic}-retry`, 'retry'],
    ] as const) {
      const message = key ? await streams.getMessage(stream, { last_by_subj: '>' }) : undefined;
      const asked = message?.json<{ id: string; data: { resource_id: string } }>();
      if (asked) fake.agentRequests.set(asked.id, { id: asked.data.resource_id, on });
    }
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
      await lastPublished;
      await server[Symbol.asyncDispose]();
    },
  };
};

const run = (
  provider: string,
  only: string,
  { onResult = () => {}, cancel = never, ...changed }: Changed = {},
) => {
  const options = {
    provider,
    token,
    nats: nats.server.url,
    agentTopic: topic,
    serviceType: 'vm',
    timeout: 10,
    ...changed,
  };
  return conformance(options, chosenGroups({ only, serviceType: 'vm' }, givenBy(options)), {
    cancel,
    onResult,
    say: () => undefined,
  });
};

type Changed = { readonly onResult?: () => void; readonly cancel?: AbortSignal; readonly nats?: string };
const { signal: never } = new AbortController();

const told = (results: readonly Result[]) => results.filter(({ verdict }) => verdict !== 'pass');

beforeEach(() => nats.resetStream()); // each provider begins to count its events anew
beforeAll(async () => {
  const { streams } = await jetstreamManager(nats.nc);
  await streams.add({ name: agentStream, subjects: ['dcm.agent.>'], retention: RetentionPolicy.Workqueue });
  await streams.add({ name: `${topic}-retry`, subjects: [`${topic}.retry`] });
});

it('passes a provider over HTTP and NATS, and leaves nothing behind', async () => {
  await using provider = await startProvider();

  const results = await run(provider.url, 'H,C,F,G,D,I,B,A,E,O');

  expect(told(results)).toEqual([]);
  expect([...provider.fake.vms.values()].filter(({ status }) => status !== 'DELETING')).toEqual([]);
  const { streams } = await jetstreamManager(nats.nc);
  for (const stream of [agentStream, `${topic}-retry`])
    expect((await streams.info(stream)).state.messages).toBe(0);
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

  const results = await run(provider.url, 'C', {
    onResult: () => interrupted.abort(),
    cancel: interrupted.signal,
  });

  expect(results.map(({ id }) => id)).toEqual(['C1']);
  expect(provider.fake.vms.size).toBeGreaterThan(0);
  expect([...provider.fake.vms.values()].filter(({ status }) => status !== 'DELETING')).toEqual([]);
});

it('says that the stream is missing before it makes any check', async () => {
  await using provider = await startProvider();
  await nats.removeStream();

  await expect(run(provider.url, 'E')).rejects.toThrow('no stream has the subject dcm.vm');
});

it('says in one sentence that NATS is down, and where', async () => {
  await using provider = await startProvider();

  await expect(run(provider.url, 'E', { nats: 'nats://127.0.0.1:1' })).rejects.toThrow(
    /^NATS at nats:\/\/127\.0\.0\.1:1 \(--nats\) cannot be connected to: /,
  );
  expect(provider.fake.vms.size).toBe(0);
});

it('says in one sentence that no provider answers', async () => {
  await expect(run('http://127.0.0.1:1', 'C')).rejects.toThrow(
    /^no provider answers at http:\/\/127\.0\.0\.1:1\/api\/v1alpha1\/vms: /,
  );
});

const command = promisify(execFile);
const main = fileURLToPath(new URL('../../conformance/main.ts', import.meta.url));

it.each([
  ['no provider answers', ['--provider', 'http://127.0.0.1:1']],
  ['there is no check or group "X9"', ['--provider', 'http://127.0.0.1:1', '--only', 'H,X9']],
])('ends with exit code 1, the reason and a summary where %s', async (reason, options) => {
  const ended = await command(process.execPath, ['--import', 'tsx', main, ...options]).catch(
    (error: unknown) => error,
  );

  expect(ended).toMatchObject({ code: 1, stderr: expect.stringContaining(`conformance: `) });
  expect(ended).toMatchObject({ stderr: expect.stringContaining(reason) });
  expect(ended).toMatchObject({
    stdout: expect.stringMatching(/^0 passed, 0 failed, 0 skipped(, \d+ not made)?\n$/),
  });
});
