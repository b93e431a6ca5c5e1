import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, UnprocessableError } from '../../../../../shared/core/errors.ts';
import {
  familyOf,
  fittingTypes,
  type InstanceType,
} from '../../../../../shared/service-types/instance-types.ts';

import { Provisioning } from '../../../../../shared/service-types/vm/provisioning.ts';
import { defaultTypes, instanceType } from '../../../../fakes/scripted-offerings.ts';
import { vmSpec } from '../../../../fixtures/vm-spec.ts';

const limits = Provisioning.parse({ regions: {} });
const gib = 1024;

const best = (spec: Parameters<typeof vmSpec>[0], more: Partial<typeof limits> = {}) =>
  fittingTypes(vmSpec(spec), defaultTypes, { ...limits, ...more }).types[0]?.instanceType;

describe('the instance type', () => {
  it.each([
    [{ vcpus: 2, memoryMib: 4 * gib }, 't3.medium'],
    [{ vcpus: 1, memoryMib: 1 * gib }, 't3.micro'],
    [{ vcpus: 2, memoryMib: 8 * gib }, 't3.large'],
    [{ vcpus: 2, memoryMib: 9 * gib }, 'r7i.large'],
    [{ vcpus: 3, memoryMib: 8 * gib }, 'c7i.xlarge'],
    [{ vcpus: 4, memoryMib: 9 * gib }, 't3.xlarge'],
    [{ memoryMib: 512 }, 't3.nano'],
    [{ vcpus: 4 }, 'c7i.xlarge'],
    [{}, 't3.small'],
  ])('for %j is %s: the smallest that fits', (spec, expected) => {
    expect(best(spec)).toBe(expected);
  });

  it('is of the operator’s first family, of two equal types', () => {
    expect(best({ vcpus: 2, memoryMib: 8 * gib }, { families: ['m7i', 't3'] })).toBe('m7i.large');
    expect(best({ vcpus: 2, memoryMib: 4 * gib }, { families: ['c7i', 't3'] })).toBe('c7i.large');
  });

  it('has its rule in chosen_by, with the defaults that were used', () => {
    const chosenBy = (spec: Parameters<typeof vmSpec>[0]) =>
      fittingTypes(vmSpec(spec), defaultTypes, limits).chosenBy;

    expect(chosenBy({ vcpus: 2, memoryMib: 4 * gib })).toBe(
      'smallest of t3, m7i, c7i, r7i with 2 vCPU and 4 GiB',
    );
    expect(chosenBy({})).toBe('smallest of t3, m7i, c7i, r7i with 1 vCPU (default) and 2 GiB (default)');
    expect(chosenBy({ hints: { instance_type: 't3.large' } })).toBe('provider_hints.aws.instance_type');
  });

  it('is refused, naming spot, where no fitting type is available as a spot instance', () => {
    const onDemand = defaultTypes.map((type) => ({ ...type, spot: false }));
    const choosing = () => fittingTypes(vmSpec({ vcpus: 2, hints: { spot: true } }), onDemand, limits);

    expect(choosing).toThrow(UnprocessableError);
    expect(choosing).toThrow('and is available as a spot instance, as provider_hints.aws.spot requires');
  });

  it('of a spot instance is one that is available as such', () => {
    expect(best({ vcpus: 2, memoryMib: 9 * gib, hints: { spot: true } })).toBe('t3.xlarge');
  });

  it.each([
    [{ vcpus: 8, memoryMib: gib }, {}],
    [{ vcpus: 2, memoryMib: 32 * gib }, { maximumMemoryGib: 16 }],
    [{ vcpus: 3 }, { maximumVcpus: 3 }],
    [{}, { families: ['x8g'] }],
  ])('is refused where none within the limits fits %j', (spec, more) => {
    expect(() => best(spec, more)).toThrow(UnprocessableError);
    expect(() => best(spec, more)).toThrow(/no instance type of .* within this provider's limits has/);
  });

  it('is that of the hint, which may be larger than requested', () => {
    expect(best({ vcpus: 2, memoryMib: 4 * gib, hints: { instance_type: 'm7i.xlarge' } })).toBe('m7i.xlarge');
    expect(best({ hints: { instance_type: 't3.nano' } })).toBe('t3.nano');
  });

  it.each([
    [
      { vcpus: 4, hints: { instance_type: 't3.large' } },
      InvalidArgumentError,
      'has 2 vCPU and 8 GiB, less than',
    ],
    [{ memoryMib: 9 * gib, hints: { instance_type: 't3.large' } }, InvalidArgumentError, 'less than'],
    [{ hints: { instance_type: 't3.huge' } }, InvalidArgumentError, 'not offered in this region'],
    [
      { hints: { instance_type: 'r7i.large', spot: true } },
      InvalidArgumentError,
      'is not available as a spot instance',
    ],
    [{ hints: { instance_type: 'm7i.8xlarge' } }, UnprocessableError, 'more than this provider allows'],
  ])('is refused where hint and spec contradict each other: %j (C 8, C 38)', (spec, kind, why) => {
    expect(() => best(spec)).toThrow(kind);
    expect(() => best(spec)).toThrow(why);
  });
});

describe('any choice of an instance type', () => {
  const families = ['t3', 'm7i', 'c7i', 'x8g'];
  const anyType = fc
    .record({
      family: fc.constantFrom(...families),
      size: fc.constantFrom('small', 'large', 'xlarge', 'metal'),
      vcpus: fc.integer({ min: 1, max: 64 }),
      memoryGib: fc.integer({ min: 1, max: 256 }),
      spot: fc.boolean(),
    })
    .map(({ family, size, vcpus, memoryGib, spot }) =>
      instanceType(`${family}.${size}`, vcpus, memoryGib, { spot }),
    );
  const anyOffer = fc.uniqueArray(anyType, { selector: (type) => type.instanceType, maxLength: 16 });
  const anyLimits = fc.record({
    families: fc.uniqueArray(fc.constantFrom(...families), { minLength: 1 }),
    maximumVcpus: fc.integer({ min: 1, max: 64 }),
    maximumMemoryGib: fc.integer({ min: 1, max: 256 }),
  });
  const anySpec = fc
    .record({
      vcpus: fc.option(fc.integer({ min: 1, max: 64 }), { nil: undefined }),
      memoryMib: fc.option(fc.integer({ min: 1, max: 256 * gib }), { nil: undefined }),
      spot: fc.boolean(),
    })
    .map(({ spot, ...sizes }) => vmSpec({ ...sizes, hints: { spot } }));

  const chosen = (...asked: Parameters<typeof fittingTypes>): readonly InstanceType[] | undefined => {
    try {
      return fittingTypes(...asked).types;
    } catch (error) {
      expect(error).toBeInstanceOf(UnprocessableError);
      return undefined;
    }
  };

  it('is the smallest within the limits that is large enough', () => {
    fc.assert(
      fc.property(anySpec, anyOffer, anyLimits, (spec, offered, some) => {
        const fits = ({ instanceType: name, vcpus, memoryMib, spot }: InstanceType) =>
          vcpus >= (spec.vcpus ?? 1) &&
          memoryMib >= (spec.memoryMib ?? 2 * gib) &&
          vcpus <= some.maximumVcpus &&
          memoryMib <= some.maximumMemoryGib * gib &&
          some.families.includes(familyOf(name)) &&
          (spot || spec.hints.spot !== true);

        const types = chosen(spec, offered, some);

        expect(new Set(types ?? [])).toEqual(new Set(offered.filter(fits)));
        const [first] = types ?? [];
        for (const other of types ?? []) {
          expect(other.vcpus).toBeGreaterThanOrEqual(first?.vcpus ?? 0);
          if (other.vcpus === first?.vcpus) expect(other.memoryMib).toBeGreaterThanOrEqual(first.memoryMib);
        }
      }),
    );
  });

  it('does not depend on the order of EC2’s list', () => {
    const shuffled = anyOffer.chain((offer) =>
      fc.tuple(fc.constant(offer), fc.shuffledSubarray(offer, { minLength: offer.length })),
    );

    fc.assert(
      fc.property(anySpec, shuffled, anyLimits, (spec, [offered, mixed], some) => {
        expect(chosen(spec, mixed, some)).toEqual(chosen(spec, offered, some));
      }),
    );
  });
});
