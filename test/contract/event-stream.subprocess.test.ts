import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { jetstreamManager } from '@nats-io/jetstream';
import { nkeyAuthenticator, nkeys } from '@nats-io/nats-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { publishEvents } from '../../functions/nats-bridge/publish-events.ts';
import { natsLink } from '../../shared/adapters/nats/connection.ts';
import { natsEventStream } from '../../shared/adapters/nats/event-stream.ts';
import { UnavailableError, UnreadableError } from '../../shared/core/errors.ts';
import { memoryEventStream } from '../fakes/memory-event-stream.ts';
import { eventStreamContract, statusEvent } from './event-stream.ts';
import { startForgetfulNetwork, startTestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());

const openAccess = async () => ({});
const idleMs = 1_500;

eventStreamContract('in memory', async () => {
  const stream = memoryEventStream();
  return { stream, stored: async () => [...stream.stored] };
});

eventStreamContract('JetStream', async () => {
  await nats.resetStream();
  return { stream: natsEventStream(natsLink([nats.server.url], openAccess)), stored: nats.stored };
});

describe('JetStream event stream', () => {
  beforeEach(() => nats.resetStream());

  it('replaces a connection that the network has forgotten, before anything is published on it', async () => {
    await using network = await startForgetfulNetwork(nats.server.port);
    let now = Date.now();
    const stream = natsEventStream(natsLink([network.url], openAccess, () => now));
    await stream.ready();
    await stream.append(statusEvent(1, 1));
    network.forget();
    now += idleMs;

    await stream.ready();
    const appended = await stream.append(statusEvent(1, 2));

    expect(appended.duplicate).toBe(false);
    expect(await nats.stored()).toEqual([statusEvent(1, 1), statusEvent(1, 2)]);
    stream.abandon();
  });

  it('keeps a connection that answers', async () => {
    let now = Date.now();
    let opened = 0;
    const access = async () => {
      opened += 1;
      return {};
    };
    const stream = natsEventStream(natsLink([nats.server.url], access, () => now));
    await stream.ready();
    now += idleMs;
    await stream.ready();

    expect(opened).toBe(1);
    stream.abandon();
  });

  it('gets events through that were under way when the network forgot the connection', async () => {
    await using network = await startForgetfulNetwork(nats.server.port);
    const stream = natsEventStream(natsLink([network.url], openAccess));
    const publisher = publishEvents(stream);
    await publisher.publish([statusEvent(1, 1)]);
    network.forget();

    const { acknowledged, failed } = await publisher.publish([
      statusEvent(1, 2),
      statusEvent(1, 3),
      statusEvent(2, 1),
    ]);

    expect(failed).toEqual([]);
    expect(acknowledged).toHaveLength(3);
    stream.abandon();
  });

  it('takes a missing stream for an outage, says what is missing, and never creates one', async () => {
    await nats.removeStream();
    const stream = natsEventStream(natsLink([nats.server.url], openAccess));
    await stream.ready();

    const appending = stream.append(statusEvent(1, 1));

    await expect(appending).rejects.toThrow(UnavailableError);
    await expect(appending).rejects.toThrow('no stream has this subject');
    await expect(nats.stored()).rejects.toThrow('stream not found');
    stream.abandon();
  });

  it('says which server cannot be connected', async () => {
    const stream = natsEventStream(natsLink(['nats://127.0.0.1:1'], openAccess));

    await expect(stream.ready()).rejects.toThrow('NATS at nats://127.0.0.1:1 cannot be connected');
  });

  it('does with a user who may only publish, and an inbox of its own', async () => {
    const user = nkeys.createUser();
    await using guarded = await startTestNats(`
      authorization {
        users: [
          { nkey: "${user.getPublicKey()}", permissions { publish: ["dcm.vm"], subscribe: ["_INBOX_ec2_sp.>"] } }
          { user: "dcm", password: "dcm" }
        ]
      }
      no_auth_user: dcm
    `);
    await guarded.resetStream();
    const access = async () => ({
      authenticator: nkeyAuthenticator(user.getSeed()),
      inboxPrefix: '_INBOX_ec2_sp',
    });
    const stream = natsEventStream(natsLink([guarded.server.url], access));
    await stream.ready();

    await stream.append(statusEvent(1, 1));

    expect(await guarded.stored()).toEqual([statusEvent(1, 1)]);
    await expect(stream.append({ ...statusEvent(1, 2), subject: 'dcm.container' })).rejects.toThrow(
      UnavailableError,
    );
    stream.abandon();
  });

  it("talks TLS to a server whose certificate the secret's authority signed, and to no other", async () => {
    const pem = (name: string) => fileURLToPath(new URL(`../fixtures/tls/${name}.pem`, import.meta.url));
    const ca = readFileSync(pem('cert'), 'utf8');
    await using secure = await startTestNats(
      `tls { cert_file: "${pem('cert')}", key_file: "${pem('key')}" }`,
      {
        tls: { ca },
      },
    );
    await secure.resetStream();
    const url = secure.server.url.replace('nats://', 'tls://');
    const trusting = natsEventStream(natsLink([url], async () => ({ tls: { ca } })));
    const wary = natsEventStream(natsLink([url], async () => ({ tls: {} })));
    await trusting.ready();

    await trusting.append(statusEvent(1, 1));

    expect(await secure.stored()).toEqual([statusEvent(1, 1)]);
    await expect(wary.ready()).rejects.toThrow('self-signed certificate');
    trusting.abandon();
  });

  it('refuses for good what is larger than the server takes', async () => {
    const stream = natsEventStream(natsLink([nats.server.url], openAccess));
    await stream.ready();

    const appending = stream.append({ ...statusEvent(1, 1), message: 'x'.repeat(2_000_000) });

    await expect(appending).rejects.toThrow(UnreadableError);
    stream.abandon();
  });

  it('refuses for good what is larger than the stream takes, and publishes the rest of its key', async () => {
    const jsm = await jetstreamManager(nats.nc);
    await jsm.streams.update('dcm-status', { max_msg_size: 2_048 });
    const stream = natsEventStream(natsLink([nats.server.url], openAccess));
    const large = { ...statusEvent(1, 1), message: 'x'.repeat(2_048) };

    const { acknowledged, failed } = await publishEvents(stream).publish([large, statusEvent(1, 2)]);

    expect(acknowledged.map(({ id }) => id)).toEqual([statusEvent(1, 2).id]);
    expect(failed).toEqual([
      {
        id: large.id,
        retryable: false,
        reason: `NATS can never take ${large.id}: message size exceeds maximum allowed`,
      },
    ]);
    stream.abandon();
  });

  it('refuses for good an id that makes the headers larger than JetStream takes', async () => {
    const stream = natsEventStream(natsLink([nats.server.url], openAccess));
    await stream.ready();

    const appending = stream.append({ ...statusEvent(1, 1), id: 'x'.repeat(70_000) });

    await expect(appending).rejects.toThrow(UnreadableError);
    stream.abandon();
  });
});
