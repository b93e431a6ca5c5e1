import { describe, expect, it } from 'vitest';
import { circumstancesOf, type Resource } from '../../../../shared/core/resource.ts';
import { clusterKind, clusterNameIn, resourceIdOf } from '../../../../shared/service-types/cluster/kind.ts';

describe('a cluster in DCM’s words', () => {
  it.each([
    ['CREATING', 'PROGRESSING', 'CREATING'],
    ['JOINING', 'PROGRESSING', 'CREATING'],
    ['ACTIVE', 'ACTIVE', 'ACTIVE'],
    ['UPDATING', 'PROGRESSING', 'UPDATING'],
    ['DEGRADED', 'DEGRADED', 'DEGRADED'],
    ['UNREACHABLE', 'UNAVAILABLE', 'DEGRADED'],
    ['FAILED', 'FAILED', 'DEGRADED'],
    ['DELETING', 'DELETING', 'UPDATING'],
    ['DELETED', 'DELETED', 'DELETED'],
  ])('is %s: %s, and %s by the first proposal', (state, current, first) => {
    expect(clusterKind.statusOf(state)).toBe(current);
    expect(clusterKind.statusOf(state, { clusterWords: 'first' })).toBe(first);
  });

  it.each(['CREATING', 'JOINING'])('has failed where %s takes too long', (state) => {
    expect(clusterKind.statusOf(state, { notice: 'stuck-launch' })).toBe('FAILED');
    expect(clusterKind.statusOf(state, { notice: 'stuck-launch', clusterWords: 'first' })).toBe('DEGRADED');
  });

  it('is not failed any more once it is ACTIVE', () => {
    expect(clusterKind.statusOf('ACTIVE', { notice: 'stuck-launch' })).toBe('ACTIVE');
  });

  it.each(clusterKind.states)('has a status of the kind for %s in both vocabularies', (state) => {
    for (const clusterWords of ['current', 'first'] as const)
      expect(clusterKind.statuses).toContain(clusterKind.statusOf(state, { clusterWords }));
  });
});

describe('the recorded state of a cluster', () => {
  const recorded = clusterKind.recordedState;

  it('is CREATING for UPDATING before the first ACTIVE (CC 24)', () => {
    expect(recorded?.('UPDATING', { hasRun: false })).toBe('CREATING');
  });

  it('is UPDATING after the first ACTIVE, so that an update outside DCM is seen (CC 25)', () => {
    expect(recorded?.('UPDATING', { hasRun: true })).toBe('UPDATING');
    expect(clusterKind.statusOf('UPDATING')).toBe('PROGRESSING');
  });

  it('is DEGRADED where the workers are gone after the first ACTIVE (CC 32)', () => {
    expect(recorded?.('JOINING', { hasRun: true })).toBe('DEGRADED');
    expect(recorded?.('JOINING', { hasRun: false })).toBe('JOINING');
  });

  it.each(['CREATING', 'JOINING', 'ACTIVE', 'UPDATING', 'DEGRADED', 'UNREACHABLE', 'FAILED', 'DELETING'])(
    'is DELETING for %s once DCM has requested the deletion',
    (state) => {
      expect(recorded?.(state, { deleteRequested: true })).toBe('DELETING');
    },
  );

  it('is DELETED in any case once EKS does not know the cluster', () => {
    expect(recorded?.('DELETED', { deleteRequested: true })).toBe('DELETED');
  });
});

describe('the end of a cluster', () => {
  it('is not explained by what EKS refused before', () => {
    const refused = { at: 1_000, text: 'EKS does not permit it' };
    const cluster: Resource = {
      ...{ kind: clusterKind, resourceId: 'eks/us-east-1/c-1', dcmId: 'c-1', region: 'us-east-1' },
      ...{ account: '123456789012', state: 'DELETING', outbox: [], history: [] },
      sequence: 0,
      notices: { 'deletion-refused': refused },
    };

    expect(circumstancesOf(cluster, { state: 'DELETED', at: 1_001 }).noticeText).toBe('');
    expect(circumstancesOf(cluster, { state: 'DELETING', at: 1_000 }).noticeText).toBe(refused.text);
  });
});

describe('the resource id of a cluster', () => {
  it.each([
    [{ region: 'us-east-1' }, 'c-1', 'eks/us-east-1/c-1'],
    [{ region: 'eu-west-1', account: '222222222222' }, 'c-1_2', 'eks/222222222222/eu-west-1/c-1_2'],
  ])('names target and cluster: %o, %s', (target, name, resourceId) => {
    expect(resourceIdOf(target, name)).toBe(resourceId);
    expect(clusterKind.hasId(resourceId)).toBe(true);
    expect(clusterNameIn(target, resourceId)).toBe(name);
  });

  it('is of no other target', () => {
    expect(clusterNameIn({ region: 'eu-west-1' }, 'eks/us-east-1/c-1')).toBeUndefined();
  });

  it.each(['i-1234567890abcdef0', `task/${'0'.repeat(32)}`, 'eks/us-east-1/', 'eks/us-east-1/a/b', 'c-1'])(
    'is not %s',
    (other) => {
      expect(clusterKind.hasId(other)).toBe(false);
    },
  );
});

describe('the outputs of a cluster', () => {
  it.each(['ACTIVE', 'DEGRADED'])('are its endpoint while it is %s', (status) => {
    expect(clusterKind.outputsOf({ apiEndpoint: 'https://a.eks' }, status)).toEqual({
      api_endpoint: 'https://a.eks',
    });
  });

  it('are those that DCM holds while it is PROGRESSING, and where no endpoint is known', () => {
    expect(clusterKind.outputsOf({ apiEndpoint: 'https://a.eks' }, 'PROGRESSING')).toBeUndefined();
    expect(clusterKind.outputsOf({}, 'ACTIVE')).toBeUndefined();
  });
});
