import { AckPolicy, jetstream, jetstreamManager, RetentionPolicy } from '@nats-io/jetstream';
import { usernamePasswordAuthenticator } from '@nats-io/nats-core';
import { afterAll, describe, expect, it } from 'vitest';
import { natsAgentRequests } from '../../shared/adapters/nats/agent-requests.ts';
import { natsLink } from '../../shared/adapters/nats/connection.ts';
import { SettingsError, UnavailableError } from '../../shared/core/errors.ts';
import { memoryAgentRequests } from '../fakes/memory-agent-requests.ts';
import { createOf } from '../fixtures/agent-requests.ts';
import { agentRequestsContract, resourceOf } from './agent-requests.ts';
import { removeStreamIfAny, startTestNats, type TestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());

const name = 'dcm-agent-requests';
const openAccess = async () => ({});

const retryName = 'ec2-retry';

/** The stream as DCM has it, empty, and how to publish on it. There is no retry stream yet. */
const newStream = async ({ nc }: TestNats = nats, retention: RetentionPolicy = RetentionPolicy.Workqueue) => {
  const manager = await jetstreamManager(nc);
  for (const stream of [name, retryName]) await removeStreamIfAny(manager, stream);
  await manager.streams.add({ name, subjects: ['dcm.agent.>'], retention });
  const js = jetstream(nc);
  const publish = async (messages: readonly string[], agent = 'ec2') => {
    for (const message of messages) await js.publish(`dcm.agent.${agent}`, message);
  };
  /** Without acknowledgements, but for the last one. */
  const publishMany = async (count: number, prefix: string, subject = 'dcm.agent.ec2') => {
    const messages = Array.from({ length: count }, (_, n) => createOf(`${prefix}-${n}`, `vm-${prefix}-${n}`));
    for (const message of messages.slice(1)) nc.publish(subject, message);
    await js.publish(subject, messages[0] ?? '');
  };
  return { manager, js, publish, publishMany };
};

/** A retry stream as the environment agent makes it: it keeps every message for ever, acknowledged or not. */
const newRetryStream = async ({ manager }: Pick<Awaited<ReturnType<typeof newStream>>, 'manager'>) => {
  await manager.streams.add({ name: retryName, subjects: ['ec2.retry'] });
  return async (message: string) => void (await jetstream(nats.nc).publish('ec2.retry', message));
};

/** Time stands still: how long a search may take on this machine is not the question. */
const requestsOf = (server: TestNats, streams = [name], now = () => 0) =>
  natsAgentRequests(natsLink([server.server.url], openAccess), streams, now);

/** Takes messages from the queue as an agent does, which acknowledges each when its provider has answered. */
const acknowledge = async (
  { manager, js }: Awaited<ReturnType<typeof newStream>>,
  count: number,
  agent = 'ec2',
) => {
  await manager.consumers.add(name, {
    ...{ durable_name: agent, filter_subject: `dcm.agent.${agent}`, ack_policy: AckPolicy.Explicit },
  });
  const consumer = await js.consumers.get(name, agent);
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
    expect(await resourceOf(requestsOf(nats), 'r-2')).toBe('vm-2');
  });

  it('are found while the newest ones, of another agent, are acknowledged already', async () => {
    const stream = await newStream();
    const requests = requestsOf(nats);
    await stream.publish([createOf('r-1', 'vm-1')]);
    await stream.publish([createOf('r-2', 'vm-2'), createOf('r-3', 'vm-3')], 'other');
    await acknowledge(stream, 2, 'other');

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
    expect(await requests.find('r-2')).toBeNull();

    await stream.publish([createOf('r-4', 'vm-4')]);
    await stream.publish([createOf('r-5', 'vm-5')], 'other');
    await acknowledge(stream, 1, 'other');

    expect(await resourceOf(requests, 'r-4')).toBe('vm-4');
  });

  it('are remembered once seen: the agent’s second try finds what its first one found', async () => {
    const stream = await newStream();
    const requests = requestsOf(nats);
    await stream.publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2')]);
    await requests.find('r-1');
    await acknowledge(stream, 2);

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
  });

  it('are found behind a thousand others that nobody fetches, and behind as many gaps', async () => {
    const stream = await newStream();
    await stream.publish(Array.from({ length: 600 }, (_, n) => createOf(`done-${n}`, `vm-${n}`)));
    await acknowledge(stream, 600);
    await stream.publish([createOf('r-1', 'vm-1')]);
    await stream.publishMany(1_100, 'later', 'dcm.agent.silent');

    expect(await resourceOf(requestsOf(nats), 'r-1')).toBe('vm-1');
    expect(await resourceOf(requestsOf(nats), 'later-3')).toBe('vm-later-3');
    expect(await requestsOf(nats).find('r-2')).toBeNull();
  });

  it('are found on the retry stream, where the agent moves them while the provider is unhealthy', async () => {
    const retry = await newRetryStream(await newStream());
    await retry(createOf('r-1', 'vm-1'));

    expect(await resourceOf(requestsOf(nats, [name, retryName]), 'r-1')).toBe('vm-1');
  });

  it('are found on the retry stream behind what earlier outages left there', async () => {
    const stream = await newStream();
    const retry = await newRetryStream(stream);
    await stream.publishMany(300, 'old', 'ec2.retry');
    await retry(createOf('r-1', 'vm-1'));
    await stream.publishMany(300, 'new', 'ec2.retry');

    expect(await resourceOf(requestsOf(nats, [name, retryName]), 'r-1')).toBe('vm-1');
  });

  it('are not there where the retry stream does not exist yet', async () => {
    const { publish } = await newStream();
    await publish([createOf('r-1', 'vm-1')]);
    const requests = requestsOf(nats, [name, retryName]);

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
    expect(await requests.find('r-2')).toBeNull();
    expect(await requests.check()).toBeUndefined();
  });

  it('are unavailable where none of the streams exists, by the name of the first, and make nothing unhealthy: DCM has not run yet', async () => {
    const requests = requestsOf(nats, ['nowhere', 'nor-there']);

    await expect(requests.find('r-1')).rejects.toThrow(UnavailableError);
    await expect(requests.find('r-1')).rejects.toThrow('nowhere cannot be read: stream not found');
    expect(await requests.check()).toBeUndefined();
  });

  it('are found at once behind 10,000 messages of history, and a missing one is established', async () => {
    const { publish, publishMany } = await newStream(nats, RetentionPolicy.Limits);
    await publishMany(10_000, 'history');
    await publish([createOf('r-1', 'vm-1')]);
    const link = natsLink([nats.server.url], openAccess);
    const requests = natsAgentRequests(link, [name], () => 0);
    const { outMsgs: before } = (await link.ready()).stats();

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');

    expect((await link.ready()).stats().outMsgs - before).toBeLessThan(100);
    expect(await requests.find('r-2')).toBeNull();
    expect(await resourceOf(requests, 'history-5000')).toBe('vm-history-5000');
  });

  it('are read once: what is asked next is looked for among newer messages', async () => {
    const { publish, publishMany } = await newStream(nats, RetentionPolicy.Limits);
    await publishMany(500, 'history');
    const link = natsLink([nats.server.url], openAccess);
    const requests = natsAgentRequests(link, [name], () => 0);
    await requests.find('r-1');
    const { outMsgs: before } = (await link.ready()).stats();

    expect(await requests.find('r-2')).toBeNull();
    await publish([createOf('r-3', 'vm-3'), createOf('r-4', 'vm-4')]);
    expect(await resourceOf(requests, 'r-3')).toBe('vm-3');

    expect((await link.ready()).stats().outMsgs - before).toBeLessThan(10);
  });

  it('are unavailable where time runs out first, and the next call continues there', async () => {
    const { publish, publishMany } = await newStream(nats, RetentionPolicy.Limits);
    await publishMany(300, 'history');
    const clock = { ms: 0 };
    const requests = requestsOf(nats, [name], () => (clock.ms += 2_000));
    const outcomes: string[] = [];
    for (let call = 0; call < 6; call += 1)
      outcomes.push(
        await requests.find('r-1').then(
          (found) => String(found),
          ({ name: error, message }) => `${error}: ${message.slice(0, 48)}`,
        ),
      );
    await publish([createOf('r-2', 'vm-2')]);

    const notYet = 'UnavailableError: dcm-agent-requests has more messages than can be';
    expect(outcomes).toEqual([notYet, notYet, notYet, notYet, 'null', 'null']);
    expect(await resourceOf(requests, 'r-2')).toBe('vm-2');
  });

  it('are found on a stream that was made anew', async () => {
    const first = await newStream();
    await first.publishMany(100, 'history');
    const requests = requestsOf(nats);
    await requests.find('r-1');
    const { publish } = await newStream();
    await publish([createOf('r-1', 'vm-1'), createOf('r-2', 'vm-2')]);

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
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

    expect(await resourceOf(as('reader'), 'r-1')).toBe('vm-1');
    const refusal = `${name} cannot be read: the NATS user may not publish on ${message}`;
    await expect(as('publisher').find('r-1')).rejects.toThrow(refusal);
    expect(await as('reader').check()).toBeUndefined();
    expect(await as('publisher').check()).toBe(refusal);
  });

  it('are found on one stream although another one may not be read; else that is why they are unavailable', async () => {
    await using guarded = await startTestNats(`
      authorization {
        users: [
          { user: "reader", password: "p", permissions { publish: ["$JS.API.STREAM.MSG.GET.${name}"], subscribe: ["_INBOX.>"] } }
          { user: "dcm", password: "p" }
        ]
      }
      no_auth_user: dcm
    `);
    const { publish } = await newStream(guarded);
    await publish([createOf('r-1', 'vm-1')]);
    const access = async () => ({ authenticator: usernamePasswordAuthenticator('reader', 'p') });
    const requests = natsAgentRequests(natsLink([guarded.server.url], access), [name, retryName], () => 0);

    expect(await resourceOf(requests, 'r-1')).toBe('vm-1');
    await expect(requests.find('r-2')).rejects.toThrow(
      `${retryName} cannot be read: the NATS user may not publish on $JS.API.STREAM.MSG.GET.${retryName}`,
    );
  });
});
