import { describe, expect, it } from 'vitest';
import { isKnownRegion, partitionOf, regionOfZone } from '../../../../shared/adapters/aws/regions.ts';

describe('AWS regions', () => {
  it.each([
    ['eu-west-1', 'aws', 'amazonaws.com'],
    ['us-gov-west-1', 'aws-us-gov', 'amazonaws.com'],
    ['cn-north-1', 'aws-cn', 'amazonaws.com.cn'],
    ['eusc-de-east-1', 'aws-eusc', 'amazonaws.eu'],
    ['us-iso-east-1', 'aws-iso', 'c2s.ic.gov'],
    ['us-isob-east-1', 'aws-iso-b', 'sc2s.sgov.gov'],
  ])('%s is known, with its partition and its DNS suffix', (region, name, dnsSuffix) => {
    expect(isKnownRegion(region)).toBe(true);
    expect(partitionOf(region)).toEqual({ name, dnsSuffix });
  });

  it.each(['eu-west-9', 'us-east-7', 'Ireland', 'aws-global', 'aws-cn-global', ''])(
    '"%s" is not a known region',
    (name) => {
      expect(isKnownRegion(name)).toBe(false);
    },
  );

  it.each([
    ['us-east-1a', 'us-east-1'],
    ['us-east-10a', 'us-east-10'],
    ['us-gov-west-1b', 'us-gov-west-1'],
    ['eusc-de-east-1a', 'eusc-de-east-1'],
    ['us-iso-east-1c', 'us-iso-east-1'],
    ['us-west-2-lax-1a', 'us-west-2'],
    ['ap-southeast-2-akl-1a', 'ap-southeast-2'],
    ['us-east-1-wl1-bos-wlz-1', 'us-east-1'],
  ])('zone %s is in %s', (zone, region) => {
    expect(regionOfZone(zone)).toBe(region);
  });

  it.each(['us-east-1', 'us-east-1aa', 'a', 'us-east-1-', 'us-east-1-lax', 'use1-az1'])(
    '%s is not the name of a zone',
    (name) => {
      expect(regionOfZone(name)).toBeUndefined();
    },
  );
});
