import { describe, expect, it } from 'vitest';
import { kindOf } from '../../../../shared/core/kind.ts';
import { containerKind } from '../../../../shared/service-types/container/kind.ts';
import { kinds } from '../../../../shared/service-types/kinds.ts';
import { taskId } from '../../../fixtures/tasks.ts';

const ports = [
  { port: 80, scope: 'external' },
  { port: 81, scope: 'internal' },
] as const;
const addresses = { privateAddress: '10.0.0.7', publicAddress: '198.18.0.1', ports };

describe('the kind of containers', () => {
  it('has the ids of tasks, and no others', () => {
    expect(kindOf(kinds, `task/${taskId}`)).toBe(containerKind);
    for (const other of [taskId, `task/${taskId}0`, 'task/x', 'i-0123456789abcdef0'])
      expect(containerKind.hasId(other)).toBe(false);
  });

  it('has the endpoints of a running container as outputs, the internal ones first', () => {
    const tcp = { protocol: 'TCP' };
    expect(containerKind.outputsOf(addresses, 'RUNNING')).toEqual({
      endpoints: [
        { address: '10.0.0.7', port: 80, scope: 'internal', ...tcp },
        { address: '10.0.0.7', port: 81, scope: 'internal', ...tcp },
        { address: '198.18.0.1', port: 80, scope: 'external', ...tcp },
      ],
    });
  });

  it.each([
    ['a status other than RUNNING', addresses, 'SUCCEEDED'],
    ['no ports', { ...addresses, ports: [] }, 'RUNNING'],
    ['no address yet', { ...addresses, privateAddress: undefined }, 'RUNNING'],
  ])('has no outputs with %s, so that DCM keeps what it holds', (_, given, status) => {
    expect(containerKind.outputsOf(given, status)).toBeUndefined();
  });
});
