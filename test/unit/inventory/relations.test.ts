import { describe, expect, it } from 'vitest';
import type { Collection, Summary } from '../../../shared/core/inventory/entry.ts';
import { canonical, placeKey, placeOfKey, plain } from '../../../shared/core/inventory/entry.ts';
import { leftoverOf, ownersOf } from '../../../shared/core/inventory/relations.ts';
import { tagKeys } from '../../fixtures/resource-messages.ts';

describe('the owners of a resource', () => {
  it.each([
    ['aws:autoscaling:groupName', 'auto-scaling-group'],
    ['aws:ec2launchtemplate:id', 'launch-template'],
    ['aws:ec2:fleet-id', 'fleet'],
    ['aws:cloudformation:stack-name', 'stack'],
    ['aws:ecs:serviceName', 'ecs-service'],
    ['eks:cluster-name', 'eks-cluster'],
    ['eks:nodegroup-name', 'eks-node-group'],
  ])('are in its tags: %s (B3 33)', (tag, kind) => {
    expect(ownersOf({ tags: { [tag]: 'one', Name: 'x' } })).toEqual([{ kind, name: 'one' }]);
  });

  it('of a task without managed tags are in its group', () => {
    expect(ownersOf({ tags: {}, object: { group: 'service:web' } })).toEqual([
      { kind: 'ecs-service', name: 'web' },
    ]);
    expect(ownersOf({ tags: {}, object: { group: 'family:web' } })).toEqual([]);
  });
});

describe('a leftover', () => {
  const known = { tagKeys, provider: 'ec2-sp', clusters: new Set(['living']) };
  const ours = { 'managed-by': 'dcm', 'dcm-instance-id': 'vm-1', 'dcm-provider': 'ec2-sp' };
  const of = (collection: Collection, given: Pick<Summary, 'tags' | 'unused'>) =>
    leftoverOf(collection, given, known);

  it('is what a VM had and nothing uses', () => {
    expect(of('volumes', { tags: ours, unused: true })).toContain('vm-1');
    expect(of('volumes', { tags: ours })).toBeUndefined();
    expect(of('instances', { tags: ours, unused: true })).toBeUndefined();
    expect(of('volumes', { tags: { ...ours, 'dcm-provider': 'other' }, unused: true })).toBeUndefined();
  });

  it('is a network interface that the network plugin of a cluster made that is gone', () => {
    const tags = (name: string) => ({
      'cluster.k8s.amazonaws.com/name': name,
      'node.k8s.amazonaws.com/instance_id': 'i-1',
    });

    expect(of('network-interfaces', { tags: tags('gone'), unused: true })).toContain('gone');
    expect(of('network-interfaces', { tags: tags('living'), unused: true })).toBeUndefined();
  });

  it('is what a cluster made that is gone', () => {
    const tags = (name: string) => ({ [`kubernetes.io/cluster/${name}`]: 'owned' });

    expect(of('volumes', { tags: tags('gone'), unused: true })).toContain('gone');
    expect(of('volumes', { tags: tags('living'), unused: true })).toBeUndefined();
    expect(of('volumes', { tags: tags('gone') })).toBeUndefined();
    expect(of('load-balancers', { tags: { 'elbv2.k8s.aws/cluster': 'gone' } })).toContain('gone');
    expect(
      leftoverOf('volumes', { tags: tags('gone'), unused: true }, { ...known, clusters: undefined }),
    ).toBeUndefined();
  });
});

describe('an object', () => {
  it('is the same text whatever the order of fields and tags', () => {
    const tags = [
      { Key: 'b', Value: '2' },
      { Key: 'a', Value: '1' },
    ];

    expect(canonical({ x: 1, Tags: tags })).toBe(canonical({ Tags: tags.toReversed(), x: 1 }));
    expect(canonical([2, 1])).not.toBe(canonical([1, 2]));
    expect(plain({ at: new Date(0), bytes: new Uint8Array(2), none: undefined })).toEqual({
      at: '1970-01-01T00:00:00.000Z',
    });
  });
});

it.each([
  { target: { region: 'eu-west-1' }, collection: 'security-groups' as const },
  { target: { region: 'eu-west-1', account: '222222222222' }, collection: 'instances' as const },
])('the key of a place names it: %j', (place) => {
  expect(placeOfKey(placeKey(place))).toEqual(place);
});
