import { describe, expect, it } from 'vitest';
import { clusterKind } from '../../../../shared/service-types/cluster/kind.ts';
import {
  clusterState,
  type HealthIssue,
  type NodeGroup,
  reasonIn,
  type Snapshot,
} from '../../../../shared/service-types/cluster/state.ts';

const issue = (code: string): HealthIssue => ({ code, message: 'as EKS says it', resourceIds: ['r-1'] });
const group = (status: string, more: Partial<NodeGroup> = {}): NodeGroup => ({
  name: 'workers',
  status,
  issues: [],
  ...more,
});
const seen = (status: string, more: Partial<Snapshot> = {}): Snapshot => ({
  status,
  hasEndpoint: status !== 'CREATING',
  issues: [],
  nodeGroups: [],
  wanted: undefined,
  ...more,
});
const withWorkers = (status: string, workers: NodeGroup | undefined, more: Partial<Snapshot> = {}) =>
  seen(status, { wanted: 'workers', nodeGroups: workers ? [workers] : [], ...more });

describe('the state of a cluster in EKS', () => {
  it.each([
    ['DELETING', seen('DELETING')],
    ['DELETING', withWorkers('DELETING', group('DELETE_FAILED'))],
    ['FAILED', seen('FAILED', { issues: [issue('ClusterUnreachable')] })],
    ['FAILED', withWorkers('ACTIVE', group('CREATE_FAILED', { issues: [issue('NodeCreationFailure')] }))],
    ['FAILED', withWorkers('UPDATING', group('CREATE_FAILED'))],
    ['CREATING', seen('CREATING')],
    ['CREATING', seen('PENDING')],
    ['CREATING', seen('CREATING', { issues: [issue('Other')] })],
    ['JOINING', withWorkers('ACTIVE', undefined)],
    ['JOINING', withWorkers('ACTIVE', group('CREATING'))],
    ['UNREACHABLE', seen('ACTIVE', { issues: [issue('ClusterUnreachable')] })],
    ['UNREACHABLE', seen('ACTIVE', { issues: [issue('Ec2SubnetNotFound'), issue('InternalFailure')] })],
    ['UNREACHABLE', seen('UPDATING', { issues: [issue('InternalFailure')] })],
    ['DEGRADED', seen('ACTIVE', { issues: [issue('UnsupportedVersion')] })],
    ['DEGRADED', seen('ACTIVE', { issues: [issue('KmsKeyDisabled')] })],
    ['DEGRADED', withWorkers('ACTIVE', group('DEGRADED', { issues: [issue('AsgInstanceLaunchFailures')] }))],
    ['DEGRADED', withWorkers('ACTIVE', group('ACTIVE', { issues: [issue('AccessDenied')] }))],
    ['DEGRADED', withWorkers('ACTIVE', group('DELETE_FAILED'))],
    ['DEGRADED', withWorkers('ACTIVE', group('DELETING'))],
    ['DEGRADED', seen('ACTIVE', { nodeGroups: [group('CREATE_FAILED', { name: 'of others' })] })],
    ['UPDATING', seen('UPDATING')],
    ['UPDATING', withWorkers('ACTIVE', group('UPDATING'))],
    ['UPDATING', seen('ACTIVE', { nodeGroups: [group('CREATING', { name: 'of others' })] })],
    ['ACTIVE', seen('ACTIVE')],
    ['ACTIVE', withWorkers('ACTIVE', group('ACTIVE'))],
    ['ACTIVE', seen('A_NEW_WORD')],
    ['CREATING', seen('A_NEW_WORD', { hasEndpoint: false })],
  ])('is %s for %o', (state, snapshot) => {
    expect(clusterState(snapshot)).toBe(state);
    expect(clusterKind.states).toContain(state);
  });
});

describe('the reason for the state of a cluster', () => {
  it('is not needed where the state says it all', () => {
    expect(reasonIn(seen('ACTIVE'))).toBeUndefined();
    expect(reasonIn(seen('CREATING'))).toBeUndefined();
  });

  it('has each issue with its code and resources, and each node group', () => {
    const snapshot = withWorkers('ACTIVE', group('DEGRADED', { issues: [issue('AccessDenied')] }), {
      issues: [issue('VpcNotFound')],
    });

    expect(reasonIn(snapshot)).toBe(
      'EKS says ACTIVE; VpcNotFound: as EKS says it (r-1); node group workers is DEGRADED: AccessDenied: as EKS says it (r-1)',
    );
  });

  it('names the node group that is missing', () => {
    expect(reasonIn(withWorkers('ACTIVE', undefined))).toBe(
      'EKS says ACTIVE; there is no node group workers',
    );
  });

  it('is the same in whatever order EKS names the node groups', () => {
    const [one, other] = [group('ACTIVE', { name: 'a' }), group('ACTIVE', { name: 'b' })];

    expect(reasonIn(seen('ACTIVE', { nodeGroups: [one, other] }))).toBe(
      reasonIn(seen('ACTIVE', { nodeGroups: [other, one] })),
    );
  });

  it('has a word of EKS that this provider does not know', () => {
    expect(reasonIn(seen('A_NEW_WORD'))).toBe('EKS says A_NEW_WORD');
  });
});
