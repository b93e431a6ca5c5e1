import { describe, expect, it } from 'vitest';
import { InvalidArgumentError, UnprocessableError } from '../../../../../shared/core/errors.ts';
import { placementsOf, sitesOf } from '../../../../../shared/service-types/vm/plan/plan-launch.ts';
import { instanceType } from '../../../../fakes/scripted-offerings.ts';

const small = instanceType('t3.small', 2, 2);
const medium = instanceType('t3.medium', 2, 4);
const large = instanceType('t3.large', 2, 8);
const xlarge = instanceType('t3.xlarge', 4, 16);
const a = { subnetId: 'subnet-a', zone: 'us-east-1a' };
const b = { subnetId: 'subnet-b', zone: 'us-east-1b' };
const c = { subnetId: 'subnet-c', zone: 'us-east-1c' };
const d = { subnetId: 'subnet-d', zone: 'us-east-1d' };

const inWords = (placements: ReturnType<typeof placementsOf>) =>
  placements.map(({ instanceType: type, zone }) => `${type} ${zone ?? 'anywhere'}`);

describe('placements', () => {
  it('try the smallest type in two zones, then the next type in a third', () => {
    expect(inWords(placementsOf([small, medium, large], [a, b, c, d]))).toEqual([
      't3.small us-east-1a',
      't3.small us-east-1b',
      't3.medium us-east-1c',
    ]);
  });

  it('try the next type in the first zone where there are two', () => {
    expect(inWords(placementsOf([small, medium], [a, b]))).toEqual([
      't3.small us-east-1a',
      't3.small us-east-1b',
      't3.medium us-east-1a',
    ]);
  });

  it('try three types where there is one zone', () => {
    expect(inWords(placementsOf([small, medium, large, xlarge], [a]))).toEqual([
      't3.small us-east-1a',
      't3.medium us-east-1a',
      't3.large us-east-1a',
    ]);
  });

  it('leave the zone to EC2 where there is none, and differ in types', () => {
    expect(placementsOf([small, medium], [{}])).toEqual([
      { instanceType: 't3.small' },
      { instanceType: 't3.medium' },
    ]);
  });

  it('are all of the hint’s type', () => {
    expect(inWords(placementsOf([small], [a, b, c]))).toEqual([
      't3.small us-east-1a',
      't3.small us-east-1b',
      't3.small us-east-1c',
    ]);
  });

  it('are all different', () => {
    expect(inWords(placementsOf([small], [a, b]))).toEqual(['t3.small us-east-1a', 't3.small us-east-1b']);
    expect(inWords(placementsOf([small], [a]))).toEqual(['t3.small us-east-1a']);
    expect(inWords(placementsOf([small, medium], [a, { ...a }, { ...a }]))).toEqual([
      't3.small us-east-1a',
      't3.medium us-east-1a',
    ]);
  });
});

describe('the sites of a VM', () => {
  const subnets = [
    { id: 'subnet-a', zone: 'us-east-1a' },
    { id: 'subnet-b', zone: 'us-east-1b' },
  ];
  const region = 'us-east-1';

  it('are the region’s subnets', () => {
    expect(sitesOf({}, { region, subnets })).toEqual([a, b]);
  });

  it('are EC2’s choice where the operator has none', () => {
    expect(sitesOf({}, { region, subnets: [] })).toEqual([{}]);
  });

  it('are only those of the hint’s zone', () => {
    expect(sitesOf({ availability_zone: 'us-east-1b' }, { region, subnets })).toEqual([b]);
    expect(sitesOf({ availability_zone: 'us-east-1b' }, { region, subnets: [] })).toEqual([
      { zone: 'us-east-1b' },
    ]);
  });

  it('are the hint’s subnet, in the hint’s zone if there is one, which EC2 then checks', () => {
    expect(sitesOf({ subnet_id: 'subnet-x' }, { region, subnets })).toEqual([{ subnetId: 'subnet-x' }]);
    expect(sitesOf({ subnet_id: 'subnet-x', availability_zone: 'us-east-1f' }, { region, subnets })).toEqual([
      { subnetId: 'subnet-x', zone: 'us-east-1f' },
    ]);
  });

  it('are refused in a zone without a subnet of the operator', () => {
    const asked = () => sitesOf({ availability_zone: 'us-east-1c' }, { region, subnets });

    expect(asked).toThrow(UnprocessableError);
    expect(asked).toThrow('expected one of us-east-1a, us-east-1b');
  });

  it.each(['us-east-1-bos-1a', 'us-east-1-wl1-bos-wlz-1'])(
    'may be the Local or Wavelength Zone %s',
    (zone) => {
      expect(sitesOf({ availability_zone: zone }, { region, subnets: [] })).toEqual([{ zone }]);
    },
  );

  it.each(['eu-west-1a', 'us-east-2a', 'us-east-10a', 'us-west-2-lax-1a'])(
    'are refused in %s, which is of another region',
    (zone) => {
      expect(() => sitesOf({ availability_zone: zone }, { region, subnets: [] })).toThrow(
        InvalidArgumentError,
      );
    },
  );
});
