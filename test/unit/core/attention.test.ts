import { describe, expect, it } from 'vitest';
import { needsAttention } from '../../../shared/core/attention.ts';

const vm = (status: string, message?: string) => needsAttention({ serviceType: 'vm', status, message });
const cluster = (status: string, message?: string) =>
  needsAttention({ serviceType: 'cluster', status, message });

describe('what needs attention', () => {
  it.each(['FAILED', 'DEGRADED', 'UNAVAILABLE'])('%s does, whatever its message says', (status) => {
    expect(vm(status)).toBe(true);
    expect(vm(status, 'instance i-1 is terminated')).toBe(true);
  });

  it('a warning after the state does', () => {
    expect(vm('RUNNING', 'instance i-1 is running: impaired: system check')).toBe(true);
    expect(vm('PENDING', 'instance i-1 is shutting-down: stuck')).toBe(true);
    expect(cluster('ACTIVE', 'cluster c-1 is active: Ec2SubnetNotFound')).toBe(true);
  });

  it('a state alone does not', () => {
    expect(vm('RUNNING', 'instance i-1 is running')).toBe(false);
    expect(vm('RUNNING')).toBe(false);
    expect(vm('RUNNING', 'the instance at 10.0.0.1: it runs')).toBe(false);
  });

  it.each(['STOPPING', 'STOPPED', 'SUCCEEDED', 'DELETED'])(
    '%s does not: its message gives the reason of what somebody wanted',
    (status) => {
      expect(vm(status, 'instance i-1 is stopped: Client.UserInitiatedShutdown')).toBe(false);
    },
  );

  it('a deletion does only where EKS refuses it', () => {
    expect(cluster('DELETING', 'cluster c-1 is deleting: it has a node group')).toBe(true);
    expect(cluster('DELETING', 'cluster c-1 is deleting')).toBe(false);
    expect(vm('DELETING', 'instance i-1 is shutting-down: Client.UserInitiatedShutdown')).toBe(false);
  });
});
