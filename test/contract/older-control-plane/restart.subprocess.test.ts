import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startControlPlane } from '../../../local/emulators/dcm/older-control-plane/start.ts';
import type { NatsServer } from '../../../local/emulators/nats-server/start-nats-server.ts';
import { startDcm, temporaryFolder } from './dcm.ts';

const soonMs = 20_000;

const statuses = Array.from({ length: 60 }, (_, n) => `s${n}`);

describe('control plane, through an outage of nats-server', () => {
  let dcm: Awaited<ReturnType<typeof startDcm>>;
  beforeAll(async () => {
    dcm = await startDcm();
  });
  afterAll(() => dcm[Symbol.asyncDispose]());

  /** Many changes of ten VMs, and an outage in the middle of them: what each VM's row went through. */
  const changeThrough = async (outage: (nats: NatsServer) => Promise<void>) => {
    const { controlPlane, provider, nats } = dcm;
    const vms = Array.from({ length: 10 }, () => crypto.randomUUID());
    const follow = async (vm: string) => {
      for (const status of statuses) await provider.report(vm, status);
    };
    const publishing = Promise.all(vms.map(follow));
    await controlPlane.waitFor(vms[0] ?? '', 's20', soonMs);
    await outage(nats);
    await publishing;
    await Promise.all(vms.map((vm) => controlPlane.waitFor(vm, 's59', soonMs)));
    const history = controlPlane.history();
    return vms.map((vm) => history.filter(({ id }) => id === vm).map(({ status }) => status));
  };
  const durable = () => dcm.provider.manager.consumers.info('dcm-status', 'control-plane');

  it('continues with the same durable consumer, and applies and acknowledges each event once', async () => {
    const seen = await changeThrough(async (nats) => {
      await nats.stop();
      await nats.start();
    });

    expect(seen).toEqual(seen.map(() => statuses));
    expect(dcm.lines).toEqual(['control plane: NATS disconnected', 'control plane: NATS reconnected']);
    await expect.poll(durable).toMatchObject({ num_ack_pending: 0, num_pending: 0 });
  });

  // What a killed server had not yet written of acknowledgements it delivers again after 30 s, as it does to DCM.
  it('loses nothing when the server was killed', async () => {
    const seen = await changeThrough(async (nats) => {
      process.kill(nats.pid, 'SIGKILL');
      await nats.stop();
      await nats.start();
    });

    expect(seen.map((ofVm) => [...new Set(ofVm)])).toEqual(seen.map(() => statuses));
    await expect.poll(durable).toMatchObject({ num_pending: 0 });
  });

  it('applies each event once after the server was suspended', async () => {
    const seen = await changeThrough(async (nats) => {
      nats.freeze();
      await delay(1000);
      nats.thaw();
    });

    expect(seen).toEqual(seen.map(() => statuses));
  });

  it('creates the stream again after the server has lost its store', async () => {
    const { controlPlane, provider, nats, folder } = dcm;
    await provider.report('vm-0', 'RUNNING');
    await controlPlane.waitFor('vm-0', 'running', soonMs);

    await nats.stop();
    await rm(join(folder.path, 'jetstream'), { recursive: true });
    await nats.start();
    await provider.report('vm-0', 'STOPPED');
    const consumed = await controlPlane.waitFor('vm-0', 'stopped', soonMs);

    expect(consumed.streamSeq).toBe(1);
  });
});

describe('control plane, started again', () => {
  it('continues with the rows of its folder and the position of its durable consumer', async () => {
    await using folder = await temporaryFolder();
    await using dcm = await startDcm({ dataDir: folder.path });
    await dcm.provider.report('vm-0', 'RUNNING');
    await dcm.controlPlane.waitFor('vm-0', 'running', soonMs);
    await dcm.controlPlane[Symbol.asyncDispose]();
    await dcm.provider.report('vm-0', 'STOPPED');
    await dcm.provider.report('vm-1', 'RUNNING');

    const again = { natsUrl: dcm.nats.url, dataDir: folder.path, strict: true, log: () => {} };
    await using controlPlane = await startControlPlane(again);
    await controlPlane.waitFor('vm-0', 'stopped', soonMs);
    await expect.poll(() => controlPlane.history().length).toBe(2);

    expect(controlPlane.history()).toMatchObject([
      { id: 'vm-0', status: 'stopped', outcome: 'applied' },
      { id: 'vm-1', status: 'running', outcome: 'skipped', reason: 'no instance found' },
    ]);
    expect(await controlPlane.rows()).toMatchObject([{ id: 'vm-0', status: 'stopped' }]);
  });
});
