import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError } from '../../../../../shared/core/errors.ts';
import { dcmIdOf } from '../../../../../shared/core/ownership.ts';
import { resourceTags } from '../../../../../shared/service-types/resource-tags.ts';
import { dcmId, tagKeys } from '../../../../fixtures/resource-messages.ts';

const identity = {
  serviceType: 'vm',
  service: 'EC2',
  dcmId,
  provider: 'ec2-sp',
  requestId: 'request-1',
  keys: tagKeys,
} as const;
const ours = {
  'managed-by': 'dcm',
  'dcm-instance-id': dcmId,
  'dcm-provider': 'ec2-sp',
  'dcm-service-type': 'vm',
  'dcm-request-id': 'request-1',
};

describe('the tags of an instance', () => {
  it('mark it as ours, with the id of the request (C 48)', () => {
    expect(resourceTags({ name: undefined, labels: {} }, identity)).toEqual({ Name: dcmId, ...ours });
  });

  it('include the labels and the name (C 25, C2 5)', () => {
    expect(resourceTags({ name: 'web-1', labels: { tier: 'web', empty: '' } }, identity)).toEqual({
      Name: 'web-1',
      tier: 'web',
      empty: '',
      ...ours,
    });
  });

  it('have the label Name as Name where the spec has no name', () => {
    expect(resourceTags({ name: undefined, labels: { Name: 'mine' } }, identity).Name).toBe('mine');
    expect(resourceTags({ name: 'web-1', labels: { Name: 'mine' } }, identity).Name).toBe('web-1');
  });

  it('are not replaced by labels (C2 18)', () => {
    const anyKey = fc.oneof(fc.constantFrom(...Object.keys(ours)), fc.string({ minLength: 1 }));

    fc.assert(
      fc.property(fc.dictionary(anyKey, fc.string(), { maxKeys: 40 }), (labels) => {
        const tags = resourceTags({ name: undefined, labels }, identity);

        expect(tags).toMatchObject(ours);
        expect(dcmIdOf(tags, tagKeys, 'ec2-sp')).toBe(dcmId);
      }),
    );
  });

  it('are at most as many as EC2 allows', () => {
    const labels = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, n) => [`label-${n}`, 'x']));

    expect(Object.keys(resourceTags({ name: 'n', labels: labels(44) }, identity))).toHaveLength(50);
    expect(() => resourceTags({ name: 'n', labels: labels(46) }, identity)).toThrow(InvalidArgumentError);
    expect(() => resourceTags({ name: 'n', labels: labels(46) }, identity)).toThrow(
      'metadata.labels: 2 too many',
    );
  });

  it('have a request id of any length', () => {
    const tags = resourceTags({ name: undefined, labels: {} }, { ...identity, requestId: 'r'.repeat(300) });

    expect(tags['dcm-request-id']).toHaveLength(256);
  });
});
