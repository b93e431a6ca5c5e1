import { describe, expect, it } from 'vitest';
import { awaitsAddress, changesOutputs } from '../../../shared/core/outputs.ts';
import { VmStatus, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { halfPastTen, observed } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';

const internal = { address: '10.0.0.4', port: 22, scope: 'internal' };
const external = { address: '203.0.113.7', port: 22, scope: 'external' };
const both = { privateAddress: '10.0.0.4', publicAddress: '203.0.113.7' };
const seconds = (n: number) => (halfPastTen + n) * 1000;

describe('outputs of a VM', () => {
  it('are all addresses while it runs, the internal one first', () => {
    expect(vmKind.outputsOf(both, 'RUNNING')).toEqual({ ip: [internal, external] });
    expect(vmKind.outputsOf({ ...both, publicAddress: '' }, 'RUNNING')).toEqual({ ip: [internal] });
  });

  it('are the internal address alone when it is stopped', () => {
    expect(vmKind.outputsOf(both, 'STOPPED')).toEqual({ ip: [internal] });
  });

  it.each(VmStatus.options)('are left out, and never empty, where no address is known: %s', (status) => {
    expect(vmKind.outputsOf({}, status)).toBeUndefined();
  });

  it('are left out of every other status, so that DCM keeps what it holds', () => {
    const others = VmStatus.options.filter((status) => status !== 'RUNNING' && status !== 'STOPPED');

    expect(others.map((status) => vmKind.outputsOf(both, status))).toEqual(others.map(() => undefined));
  });

  it('have the port of Remote Desktop where the instance runs Windows', () => {
    expect(vmKind.outputsOf({ ...both, isWindows: true }, 'RUNNING')).toMatchObject({
      ip: [{ port: 3389 }, { port: 3389 }],
    });
  });

  it('are what RUNNING waits for: the private address without a bound, the public one for five seconds', () => {
    const running = statusOf(observed('running'));
    const expectsPublic = { kind: vmKind, privateAddress: '10.0.0.4', getsPublicAddress: true };

    expect([0, 3600].map((at) => awaitsAddress({ kind: vmKind }, running, seconds(at)))).toEqual([
      true,
      true,
    ]);
    expect([0, 4.9, 5].map((at) => awaitsAddress(expectsPublic, running, seconds(at)))).toEqual([
      true,
      true,
      false,
    ]);
    expect(awaitsAddress({ ...expectsPublic, ...both }, running, seconds(0))).toBe(false);
    expect(awaitsAddress({ kind: vmKind, privateAddress: '10.0.0.4' }, running, seconds(0))).toBe(false);
    expect(awaitsAddress({ kind: vmKind }, statusOf(observed('stopped')), seconds(0))).toBe(false);
  });

  it('change with an address that the status published last did not have', () => {
    const running = { kind: vmKind, privateAddress: '10.0.0.4', latest: statusOf(observed('running')) };
    const stopped = { ...running, latest: statusOf(observed('stopped')) };

    expect(changesOutputs(running, { publicAddress: '203.0.113.7' })).toBe(true);
    expect(changesOutputs(running, { privateAddress: '10.0.0.4', publicAddress: '' })).toBe(false);
    expect(changesOutputs(stopped, { publicAddress: '203.0.113.7' })).toBe(false);
    expect(changesOutputs({ kind: vmKind, privateAddress: '10.0.0.4' }, both)).toBe(false);
  });
});
