import { usernamePasswordAuthenticator } from '@nats-io/nats-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { natsLink } from '../../shared/adapters/nats/connection.ts';
import { natsProbe } from '../../shared/adapters/nats/probe.ts';
import { startForgetfulNetwork, startTestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());

const openAccess = async () => ({});
const probeOf = (url: string) => natsProbe(natsLink([url], openAccess), ['dcm.vm']);

describe('the probe of NATS', () => {
  beforeEach(() => nats.resetStream());

  it('says connected where NATS answers and a stream has the subject, and publishes nothing', async () => {
    expect(await probeOf(nats.server.url)()).toEqual({ connected: true });
    expect(await nats.stored()).toEqual([]);
  });

  it('says which subject no stream has', async () => {
    await nats.removeStream();

    expect(await probeOf(nats.server.url)()).toEqual({
      connected: false,
      reason: expect.stringContaining('no stream has the subject dcm.vm'),
    });
  });

  it('says which of several subjects no stream has', async () => {
    const probe = natsProbe(natsLink([nats.server.url], openAccess), ['dcm.vm', 'other.cluster']);

    expect(await probe()).toEqual({
      connected: false,
      reason: expect.stringContaining('no stream has the subject other.cluster'),
    });
  });

  it('sees the stream once it is there (C2-2)', async () => {
    await nats.removeStream();
    const probe = probeOf(nats.server.url);
    await probe();

    await nats.resetStream();

    expect(await probe()).toEqual({ connected: true });
  });

  it('says where NATS cannot be connected', async () => {
    expect(await probeOf('nats://127.0.0.1:1')()).toEqual({
      connected: false,
      reason: expect.stringContaining('NATS at nats://127.0.0.1:1 cannot be connected'),
    });
  });

  it('does not wait for a connection that the network has forgotten', async () => {
    await using network = await startForgetfulNetwork(nats.server.port);
    const probe = probeOf(network.url);
    await probe();
    network.forget();

    expect(await probe()).toEqual({ connected: false, reason: 'NATS does not answer within 1000 ms' });
    expect(await probe()).toEqual({ connected: true });
  });

  it('is content with an answer of NATS where its user may not ask for streams', async () => {
    await using guarded = await startTestNats(`
      authorization {
        users: [
          { user: "publisher", password: "p", permissions { publish: ["dcm.vm"], subscribe: ["_INBOX.>"] } }
          { user: "dcm", password: "p" }
        ]
      }
      no_auth_user: dcm
    `);

    const access = async () => ({ authenticator: usernamePasswordAuthenticator('publisher', 'p') });

    const state = await natsProbe(natsLink([guarded.server.url], access), ['dcm.vm'])();

    expect(state).toEqual({ connected: true });
  });
});
