import { describe, expect, it } from 'vitest';
import { familyOf } from '../../../../shared/service-types/instance-types.ts';
import { isStandard } from '../../../../shared/service-types/vm/provisioning.ts';

describe('the family of an instance type', () => {
  it.each([
    ['t3.micro', 't3'],
    ['m7i-flex.large', 'm7i-flex'],
    ['u-6tb1.metal', 'u-6tb1'],
    ['m7i', 'm7i'],
  ])('of %s is %s', (instanceType, family) => {
    expect(familyOf(instanceType)).toBe(family);
  });

  it.each([
    ['t3.micro', true],
    ['t4g.micro', true],
    ['m7i-flex.large', true],
    ['c7gn.large', true],
    ['a1.large', true],
    ['im4gn.large', true],
    ['is4gen.large', true],
    ['hpc7a.96xlarge', false],
    ['g5.xlarge', false],
    ['inf2.xlarge', false],
    ['trn1.2xlarge', false],
    ['mac2.metal', false],
    ['dl1.24xlarge', false],
    ['p5.48xlarge', false],
    ['x8g.large', false],
  ])('%s counts as standard: %s', (instanceType, standard) => {
    expect(isStandard(instanceType)).toBe(standard);
  });
});
