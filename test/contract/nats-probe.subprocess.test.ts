import { jetstreamManager } from '@nats-io/jetstream';
import { nanos, usernamePasswordAuthenticator } from '@nats-io/nats-core';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { natsLink } from '../../shared/adapters/nats/connection.ts';
import { natsProbe } from '../../shared/adapters/nats/probe.ts';
import { natsStreams } from '../../shared/adapters/nats/streams.ts';
import { startForgetfulNetwork, startTestNats } from './nats.ts';

const nats = await startTestNats();
afterAll(() => nats[Symbol.asyncDispose]());

const openAccess = async () => ({});
/** A server at which `publisher` may publish on the subjects alone. */
const startGuarded = (...subjects: readonly string[]) =>
  startTestNats(`
    authorization {
      users: [
        { user: "publisher", password: "p", permissions { publish: ${JSON.stringify(subjects)}, subscribe: ["_INBOX.>"] } }
        { user: "dcm", password: "p" }
      ]
    }
    no_auth_user: dcm
  `);
const publisherAccess = async () => ({ authenticator: usernamePasswordAuthenticator('publisher', 'p') });
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
    await using guarded = await startGuarded('dcm.vm');

    const state = await natsProbe(natsLink([guarded.server.url], publisherAccess), ['dcm.vm'])();

    expect(state).toEqual({ connected: true });
  });
});

describe('the streams of NATS', () => {
  it('are all by name, and those that take statuses with their duplicate windows', async () => {
    await using of = await startTestNats();
    const { streams } = await jetstreamManager(of.nc);
    await streams.add({ name: 'dcm-status', subjects: ['dcm.*'], duplicate_window: nanos(30_000) });
    await streams.add({ name: 'ec2-retry', subjects: ['ec2.retry'] });
    const link = natsLink([of.server.url], openAccess);

    const { names, statusStreams } = await natsStreams(link, ['dcm.vm', 'dcm.container', 'other.cluster'])();

    expect(names.sort()).toEqual(['dcm-status', 'ec2-retry']);
    expect(statusStreams).toEqual([{ name: 'dcm-status', duplicateWindowMs: 30_000 }]);
  });

  it('are listed without their duplicate windows where the user has the documented permissions alone', async () => {
    await using guarded = await startGuarded('dcm.vm', '$JS.API.STREAM.NAMES');
    await guarded.resetStream();

    const streams = await natsStreams(natsLink([guarded.server.url], publisherAccess), ['dcm.vm'])();

    expect(streams).toEqual({ names: ['dcm-status'], statusStreams: [{ name: 'dcm-status' }] });
  });

  it('cannot be listed where the user may not ask for them', async () => {
    await using guarded = await startGuarded('dcm.vm');

    await expect(natsStreams(natsLink([guarded.server.url], publisherAccess), ['dcm.vm'])()).rejects.toThrow(
      'the streams cannot be listed: the NATS user may not publish on $JS.API.STREAM.NAMES',
    );
  });
});
