import { describe, expect, it } from 'vitest';
import type { NodeGroup } from '../../../../shared/service-types/cluster/state.ts';
import { nextStep, type Wish } from '../../../../shared/service-types/cluster/steps.ts';

const workers = { count: 3, instanceType: 'm7i.large', diskGib: 50 };
const group = (status: string, name = 'workers'): NodeGroup => ({ name, status, issues: [] });
const seen = (status: string, nodeGroups: readonly NodeGroup[] = []) => ({
  ...{ status, nodeGroups, workers },
});
const autoMode = (status: string) => ({ status, nodeGroups: [], workers: undefined });
const wish = (more: Partial<Wish> = {}): Wish => ({
  isDeletionRequested: false,
  isOurs: true,
  adminPrincipals: [],
  isRecent: false,
  isLost: false,
  hasRun: false,
  ...more,
});
const deleting = wish({ isDeletionRequested: true });
const admin = 'arn:aws:iam::123456789012:role/admin';

describe('the next step of a cluster', () => {
  it.each([
    ['wait', wish(), seen('CREATING')],
    ['wait', wish(), seen('PENDING')],
    ['wait', wish(), seen('UPDATING')],
    ['create-workers', wish(), seen('ACTIVE')],
    ['wait', wish(), seen('ACTIVE', [group('CREATING')])],
    ['rest', wish(), seen('ACTIVE', [group('ACTIVE')])],
    ['rest', wish(), seen('ACTIVE', [group('CREATE_FAILED')])],
    ['rest', wish(), seen('FAILED')],
    ['rest', wish(), seen('DELETING')],
    ['rest', wish(), autoMode('ACTIVE')],
    ['wait', wish(), undefined],
    ['report-deleted', wish({ isLost: true }), undefined],
    ['rest', wish({ isLost: true, isOurs: false }), undefined],
    ['create-workers', wish({ isLost: true }), seen('ACTIVE')],
    ['wait', wish({ isRecent: true }), undefined],
    ['rest', wish({ isOurs: false }), seen('ACTIVE')],
  ])('is %s for a creation: %o, %o', (action, wanted, described) => {
    expect(nextStep(wanted, described, undefined)).toEqual({ action });
  });

  it.each([
    ['delete-cluster', seen('ACTIVE')],
    ['delete-cluster', seen('CREATING')],
    ['delete-cluster', seen('FAILED')],
    ['wait', seen('DELETING')],
    ['wait', seen('ACTIVE', [group('DELETING')])],
    ['report-deleted', undefined],
  ])('is %s for a deletion: %o', (action, described) => {
    expect(nextStep(deleting, described, undefined)).toEqual({ action });
  });

  it('deletes the node groups first, and those again whose deletion failed (CC 21)', () => {
    const described = seen('ACTIVE', [group('ACTIVE'), group('DELETING', 'a'), group('DELETE_FAILED', 'b')]);

    expect(nextStep(deleting, described, undefined)).toEqual({
      action: 'delete-node-groups',
      names: ['workers', 'b'],
    });
  });

  it('does not create workers again that others deleted after the cluster was ACTIVE (CC 32)', () => {
    expect(nextStep(wish({ hasRun: true }), seen('ACTIVE'), undefined)).toEqual({ action: 'rest' });
  });

  it('makes the wanted principals administrators before anything else of an ACTIVE cluster', () => {
    const wanted = wish({ adminPrincipals: [admin, `${admin}-2`] });

    expect(nextStep(wanted, seen('ACTIVE'), [admin])).toEqual({
      action: 'add-administrators',
      principalArns: [`${admin}-2`],
    });
    expect(nextStep(wanted, autoMode('ACTIVE'), [admin, `${admin}-2`])).toEqual({ action: 'rest' });
  });

  it('deletes nothing that this provider did not create', () => {
    const others = wish({ isDeletionRequested: true, isOurs: false });

    expect(nextStep(others, seen('ACTIVE', [group('ACTIVE')]), undefined)).toEqual({ action: 'rest' });
  });

  it('does not report a cluster as deleted that EKS may not show yet', () => {
    expect(nextStep({ ...deleting, isRecent: true }, undefined, undefined)).toEqual({ action: 'wait' });
    expect(nextStep({ ...deleting, isRecent: true, hasRun: true }, undefined, undefined)).toEqual({
      action: 'report-deleted',
    });
  });
});
