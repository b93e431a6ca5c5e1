import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startDcm, statusEvent } from './dcm.ts';

const soonMs = 20_000;

describe('control plane, consuming status events', () => {
  let dcm: Awaited<ReturnType<typeof startDcm>>;
  beforeAll(async () => {
    dcm = await startDcm();
  });
  afterAll(() => dcm[Symbol.asyncDispose]());

  const durable = () => dcm.provider.manager.consumers.info('dcm-status', 'control-plane');
  const statusesOf = (id: string) =>
    dcm.controlPlane
      .history()
      .filter((consumed) => consumed.id === id)
      .map(({ status }) => status);

  it.each([
    { told: 'RUNNING', stored: 'running' },
    { told: 'Running', stored: 'running' },
    { told: 'FAILED', stored: 'failed' },
    { told: ' Stopped ', stored: 'stopped' },
    { told: 'SomethingElse', stored: 'somethingelse' },
  ])('stores $told as $stored', async ({ told, stored }) => {
    const id = crypto.randomUUID();

    await dcm.provider.report(id, told);
    await dcm.controlPlane.waitFor(id, stored, soonMs);

    expect(await dcm.controlPlane.row(id)).toMatchObject({ id, status: stored, providerName: null });
  });

  it('stores the message', async () => {
    await dcm.provider.report('with-message', 'FAILED', 'Server.InsufficientInstanceCapacity: none left');
    await dcm.controlPlane.waitFor('with-message', 'failed', soonMs);

    const row = await dcm.controlPlane.row('with-message');

    expect(row?.message).toBe('Server.InsufficientInstanceCapacity: none left');
  });

  it('clears message and status by an event that has neither', async () => {
    await dcm.provider.report('cleared', 'RUNNING');
    await dcm.provider.publish(statusEvent({ id: 'cleared' }));
    await dcm.controlPlane.waitFor('cleared', '', soonMs);

    const row = await dcm.controlPlane.row('cleared');

    expect(row).toMatchObject({ status: '', message: '' });
  });

  it('adds the row of an unknown id, and records that', async () => {
    const event = statusEvent(
      { id: 'new', status: 'PROVISIONING', message: 'm' },
      { id: 'e-1', sequence: '17' },
    );

    const { seq } = await dcm.provider.publish(event);
    const consumed = await dcm.controlPlane.waitFor('new', 'provisioning', soonMs);

    expect(consumed).toMatchObject({
      id: 'new',
      status: 'provisioning',
      message: 'm',
      eventId: 'e-1',
      sequence: '17',
      streamSeq: seq,
      deliveries: 1,
      outcome: 'added',
    });
    expect(consumed.appliedAtMs).toBeGreaterThanOrEqual(consumed.receivedAtMs);
  });

  it('skips an id that is too long', async () => {
    const { seq } = await dcm.provider.report('x'.repeat(64), 'RUNNING');
    await dcm.provider.report('after-too-long', 'RUNNING');
    await dcm.controlPlane.waitFor('after-too-long', 'running', soonMs);

    const consumed = dcm.controlPlane.history().find(({ streamSeq }) => streamSeq === seq);

    expect(consumed).toMatchObject({ outcome: 'skipped', reason: 'no instance found' });
  });

  it('applies the statuses of a VM in the order of publication', async () => {
    await dcm.provider.report('vm-a', 'PROVISIONING');
    await dcm.provider.report('vm-a', 'RUNNING');
    await dcm.controlPlane.waitFor('vm-a', 'running', soonMs);

    expect(statusesOf('vm-a')).toEqual(['provisioning', 'running']);
  });

  it('applies the last event, whatever its time', async () => {
    const yesterday = { time: '2026-08-21T00:00:00Z', sequence: '1' };
    await dcm.provider.report('vm-b', 'DELETED');
    await dcm.provider.publish(statusEvent({ id: 'vm-b', status: 'RUNNING' }, yesterday));
    await dcm.controlPlane.waitFor('vm-b', 'running', soonMs);

    const row = await dcm.controlPlane.row('vm-b');

    expect(row?.status).toBe('running');
  });

  it('acknowledges and drops malformed events, and continues', async () => {
    const malformed = [
      '',
      'not json',
      '{"foo":"bar"}',
      statusEvent([]),
      '[]',
      statusEvent({ status: 'RUNNING', message: 'no id' }),
      statusEvent({ id: 'vm-c', status: 'STOPPED' }, { data: null }),
      statusEvent({ id: 'vm-c', status: 'STOPPED' }, { data: 'a string' }),
      statusEvent({ id: 'vm-c', status: 'STOPPED' }, { specversion: '2.0' }),
      statusEvent({ id: 'vm-c', status: 'STOPPED' }, { dcm_region: 'us-east-1' }),
    ];

    const sequences: number[] = [];
    for (const event of malformed) sequences.push((await dcm.provider.publish(event)).seq);
    await dcm.provider.report('vm-c', 'RUNNING');
    await dcm.controlPlane.waitFor('vm-c', 'running', soonMs);

    const consumed = dcm.controlPlane.history().filter(({ streamSeq }) => sequences.includes(streamSeq));
    expect(consumed.map(({ outcome }) => outcome)).toEqual(malformed.map(() => 'dropped'));
    expect(statusesOf('vm-c')).toEqual(['running']);
    expect(dcm.lines).toContain(`control plane: dropped event ${sequences[2]}: ${consumed[2]?.reason}`);
    await expect.poll(durable).toMatchObject({ num_ack_pending: 0, num_redelivered: 0, num_pending: 0 });
  });

  it('receives once an event that was published twice with one message id', async () => {
    const event = statusEvent({ id: 'vm-d', status: 'RUNNING' });

    const first = await dcm.provider.publish(event, 'i-1:1764846000:1');
    const second = await dcm.provider.publish(event, 'i-1:1764846000:1');
    await dcm.provider.report('vm-d', 'STOPPED');
    await dcm.controlPlane.waitFor('vm-d', 'stopped', soonMs);

    expect(second).toMatchObject({ stream: 'dcm-status', seq: first.seq, duplicate: true });
    expect(statusesOf('vm-d')).toEqual(['running', 'stopped']);
  });

  it('applies a thousand events of ten VMs one after the other, in stream order', async () => {
    const publications = Array.from({ length: 1000 }, (_, n) =>
      dcm.provider.report(`many-${n % 10}`, `s${n}`),
    );
    await Promise.all(publications);
    await dcm.controlPlane.waitFor('many-9', 's999', 40_000);

    const consumed = dcm.controlPlane.history().filter(({ id }) => id?.startsWith('many-'));
    const inStream = consumed.map(({ streamSeq }) => streamSeq);
    expect(consumed).toHaveLength(1000);
    expect(inStream).toEqual(inStream.toSorted((a, b) => a - b));
    expect(await dcm.controlPlane.row('many-3')).toMatchObject({ status: 's993' });
  });

  it('calls listeners for each event that changed its row, until they are removed', async () => {
    const heard: (string | undefined)[] = [];
    const stop = dcm.controlPlane.onApplied(({ id, status }) => heard.push(`${id} ${status}`));

    await dcm.provider.publish('not json');
    await dcm.provider.report('vm-e', 'RUNNING');
    await dcm.controlPlane.waitFor('vm-e', 'running', soonMs);
    stop();
    await dcm.provider.report('vm-e', 'STOPPED');
    await dcm.controlPlane.waitFor('vm-e', 'stopped', soonMs);

    expect(heard).toEqual(['vm-e running']);
  });

  it('receives an event that the database refuses again without limit, while other events are applied', async () => {
    const refused = await dcm.provider.report('vm-f', 'RUNNING', 'a NUL \0 in the message');
    await expect
      .poll(async () => (await durable()).delivered.consumer_seq - refused.seq, { timeout: soonMs })
      .toBeGreaterThan(100);
    await dcm.provider.report('vm-g', 'RUNNING');
    const other = await dcm.controlPlane.waitFor('vm-g', 'running', soonMs);

    const naks = dcm.controlPlane.history().filter(({ outcome }) => outcome === 'nak');
    expect(other.outcome).toBe('added');
    expect(naks).toMatchObject([{ id: 'vm-f', streamSeq: refused.seq, deliveries: 1 }]);
    expect(await dcm.controlPlane.row('vm-f')).toBeUndefined();

    await dcm.provider.manager.streams.deleteMessage('dcm-status', refused.seq);
    await expect.poll(durable, { timeout: soonMs }).toMatchObject({ num_ack_pending: 0, num_redelivered: 0 });
  });
});
