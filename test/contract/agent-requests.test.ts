import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { usernamePasswordAuthenticator } from '@nats-io/nats-core';
import { afterAll, describe, expect, it } from 'vitest';
import { natsAgentRequests } from '../../shared/adapters/nats-agent-requests.ts';
import { natsLink } from '../../shared/adapters/nats-connection.ts';
import { SettingsError, UnavailableError } from '../../shared/domain/errors.ts';
import { memoryAgentRequests } from '../fakes/memory-agent-requests.ts';
import { createOf } from '../fixtures/agent-requests.ts';
import { agentRequestsContract } from './agent-requests.ts';
import { startTestNats, type TestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());

const name = 'dcm-agent-requests';
const openAccess = async () => ({});

/** The stream as DCM has it, empty, and how to publish on it. */
const newStream = async ({ nc }: TestNats = nats) => {
  const manager = await jetstreamManager(nc);
  await manager.streams.delete(name).catch(() => undefined);
  await manager.streams.add({ name, subjects: ['dcm.agent.>'], retention: RetentionPolicy.Workqueue });
  const js = jetstream(nc);
  const publish = async (messages: readonly string[], agent = 'ec2') => {
    for (const message of messages) await js.publish(`dcm.agent.${agent}`, message);
  };
  return { manager, js, publish };
};

/** Time stands still: how long a search may take on this machine is not the question. */
const requestsOf = (server: TestNats, streams = [name]) =>
  natsAgentRequests(natsLink([server.server.url], openAccess), streams, () => 0);

/** Takes messages from the queue as an agent does, which acknowledges each when its provider has answered. */
const acknowledge = async ({ manager, js }: Awaited<ReturnType<typeof newStream>>, count: number) => {
  await manager.consumers.add(name, { durable_name: 'agent', ack_policy: AckPolicy.Explicit });
  const consumer = await js.consumers.get(name, 'agent');
  const messages = await consumer.fetch({ max_messages: count, expires: 5_000 });
  for await (const message of messages) await message.ackAck();
};

agentRequestsContract('in memory', async () => {
  const messages: string[] = [];
  return {
    requests: memoryAgentRequests(messages),
    publish: async (more) => void messages.push(...more),
  };
});

agentRequestsContract('JetStream', async () => {
  const { publish } = await newStream();
  return { requests: requestsOf(nats), publish };
});

describe('requests to agents on JetStream', () => {
  it('are left where they are', async () => {
    const { manager, publish } = await newStream();
    await publish([createOf('r-1', 'vm-1')]);

    await requestsOf(nats).find('r-1');

    expect((await manager.streams.info(name)).state.messages).toBe(1);
  });

  it('are found while the agent has them in hand, and not once it has acknowledged them', async () => {
    const stream = await newStream();
    await stream.publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2')]);
    await acknowledge(stream, 1);

    expect(await requestsOf(nats).find('r-1')).toBeNull();
    expect(await requestsOf(nats).find('r-2')).toBe('vm-2');
  });

  it('are remembered once seen: the agent’s second try finds what its first one found', async () => {
    const stream = await newStream();
    const requests = requestsOf(nats);
    await stream.publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2')]);
    await requests.find('r-1');
    await acknowledge(stream, 2);

    expect(await requests.find('r-1')).toBe('vm-1');
  });

  it('are found behind a thousand others that nobody fetches, and behind as many gaps', async () => {
    const stream = await newStream();
    await stream.publish(Array.from({ length: 600 }, (_, n) => createOf(`done-${n}`, `vm-${n}`)));
    await acknowledge(stream, 600);
    await stream.publish([createOf('r-1', 'vm-1')]);
    const later = Array.from({ length: 1_100 }, (_, n) => createOf(`later-${n}`, `vm-${n}`));
    await Promise.all(later.map((message) => stream.publish([message], 'silent')));

    expect(await requestsOf(nats).find('r-1')).toBe('vm-1');
    expect(await requestsOf(nats).find('later-3')).toBe('vm-3');
    expect(await requestsOf(nats).find('r-2')).toBeNull();
  });

  it('are looked for on the stream of second tries, too', async () => {
    const { manager } = await newStream();
    await manager.streams.add({ name: 'ec2-retry', subjects: ['ec2.retry'] });
    await jetstream(nats.nc).publish('ec2.retry', createOf('r-1', 'vm-1'));

    expect(await requestsOf(nats, [name, 'ec2-retry']).find('r-1')).toBe('vm-1');
  });

  it('are unavailable where the stream is missing, by its name', async () => {
    const finding = requestsOf(nats, ['nowhere']).find('r-1');

    await expect(finding).rejects.toThrow(UnavailableError);
    await expect(finding).rejects.toThrow('nowhere cannot be read: stream not found');
  });

  it('are unavailable where NATS is', async () => {
    const requests = natsAgentRequests(natsLink(['nats://127.0.0.1:1'], openAccess), [name]);

    await expect(requests.find('r-1')).rejects.toThrow('NATS at nats://127.0.0.1:1 cannot be connected');
  });

  it('are not looked for where that is not configured', async () => {
    const finding = requestsOf(nats, []).find('r-1');

    await expect(finding).rejects.toThrow(SettingsError);
    await expect(finding).rejects.toThrow('AGENT_REQUESTS_STREAM');
  });

  it('need one permission, which the refusal names', async () => {
    const message = `$JS.API.STREAM.MSG.GET.${name}`;
    await using guarded = await startTestNats(`
      authorization {
        users: [
          { user: "reader", password: "p", permissions { publish: ["dcm.vm", "${message}"], subscribe: ["_INBOX.>"] } }
          { user: "publisher", password: "p", permissions { publish: ["dcm.vm"], subscribe: ["_INBOX.>"] } }
          { user: "dcm", password: "p" }
        ]
      }
      no_auth_user: dcm
    `);
    const { publish } = await newStream(guarded);
    await publish([createOf('r-1', 'vm-1')]);
    const as = (user: string) => {
      const access = async () => ({ authenticator: usernamePasswordAuthenticator(user, 'p') });
      return natsAgentRequests(natsLink([guarded.server.url], access), [name]);
    };

    expect(await as('reader').find('r-1')).toBe('vm-1');
    await expect(as('publisher').find('r-1')).rejects.toThrow(
      `${name} cannot be read: the NATS user may not publish on ${message}`,
    );
  });
});
