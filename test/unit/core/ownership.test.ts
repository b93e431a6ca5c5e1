import { describe, expect, it } from 'vitest';
import { dcmIdOf, labelsField, labelsIn, TagKeys } from '../../../shared/core/ownership.ts';
import { dcmId, ourTags, tagKeys } from '../../fixtures/resource-messages.ts';

const { 'dcm-provider': _, ...withoutProvider } = ourTags;

describe('tags', () => {
  it('name the VM of an instance that is ours', () => {
    expect(dcmIdOf({ ...ourTags, Name: 'web-1' }, tagKeys, 'ec2-sp')).toBe(dcmId);
  });

  it('name it also where no provider is named', () => {
    expect(dcmIdOf(withoutProvider, tagKeys, 'ec2-sp')).toBe(dcmId);
  });

  it('lose the blanks around the id', () => {
    expect(dcmIdOf({ ...ourTags, 'dcm-instance-id': ` ${dcmId}\t` }, tagKeys, 'ec2-sp')).toBe(dcmId);
  });

  it.each([
    { what: 'no tags', tags: {} },
    { what: 'another provider (C2-18)', tags: { ...ourTags, 'dcm-provider': 'ec2-sp-2' } },
    { what: 'our provider in other letters', tags: { ...ourTags, 'dcm-provider': 'EC2-SP' } },
    { what: 'a provider that is blank', tags: { ...ourTags, 'dcm-provider': '' } },
    { what: 'no id', tags: { 'managed-by': 'dcm', 'dcm-provider': 'ec2-sp' } },
    { what: 'an empty id', tags: { ...ourTags, 'dcm-instance-id': '' } },
    { what: 'a blank id', tags: { ...ourTags, 'dcm-instance-id': '  ' } },
    { what: 'nobody who manages it', tags: { 'dcm-instance-id': dcmId, 'dcm-provider': 'ec2-sp' } },
    { what: 'somebody else who manages it', tags: { ...ourTags, 'managed-by': 'terraform' } },
    { what: 'a manager in other letters', tags: { ...ourTags, 'managed-by': 'DCM' } },
    { what: 'tag keys in other letters', tags: { 'Managed-By': 'dcm', 'dcm-instance-id': dcmId } },
  ])('name no VM where there is $what', ({ tags }) => {
    expect(dcmIdOf(tags, tagKeys, 'ec2-sp')).toBeUndefined();
  });

  it('may have keys that are configured, and then no others', () => {
    const keys = TagKeys.parse({
      managedBy: 'acme:manager',
      instanceId: 'acme:vm',
      provider: 'acme:provider',
    });
    const theirs = { 'acme:manager': 'dcm', 'acme:vm': dcmId, 'acme:provider': 'ec2-sp' };

    expect(dcmIdOf(theirs, keys, 'ec2-sp')).toBe(dcmId);
    expect(dcmIdOf(ourTags, keys, 'ec2-sp')).toBeUndefined();
  });

  it('have the keys that DCM expects unless others are configured', () => {
    expect(TagKeys.parse({})).toEqual(tagKeys);
  });

  it.each(['', 'x'.repeat(129)])('cannot have a key that EC2 does not take', (key) => {
    expect(TagKeys.safeParse({ managedBy: key }).success).toBe(false);
  });
});

describe('labels', () => {
  it('are the tags that mark a resource neither as ours nor as AWS’s', () => {
    const tags = {
      ...ourTags,
      Name: 'web-1',
      'aws:createdBy': 'x',
      'dcm-request-id': 'r',
      team: 'a',
      Env: '',
    };

    expect(labelsIn(tags, tagKeys)).toEqual({ team: 'a', Env: '' });
    expect(labelsIn({ 'acme:vm': 'vm-1', team: 'a' }, { ...tagKeys, instanceId: 'acme:vm' })).toEqual({
      team: 'a',
    });
  });

  it('are kept in the order of their keys, up to 1,000 characters, and none as no field', () => {
    const long = (key: string) => ({ [key]: 'x'.repeat(400) });
    const { labels = {} } = labelsField({ ...long('c'), ...long('a'), ...long('b') });

    expect(Object.keys(labels)).toEqual(['a', 'b']);
    expect(labelsField({})).toEqual({});
  });
});
