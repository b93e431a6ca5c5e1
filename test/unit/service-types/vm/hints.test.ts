import { describe, expect, it } from 'vitest';
import { hintsOf } from '../../../../shared/service-types/vm/hints.ts';

const aws = (hints: Record<string, unknown>) => hintsOf({ provider_hints: { aws: hints } });

const all = {
  instance_type: 'm7i.large',
  image_id: 'ami-0123456789abcdef0',
  subnet_id: 'subnet-0123456789abcdef0',
  security_group_ids: ['sg-0123456789abcdef0', 'sg-01234567'],
  availability_zone: 'us-east-1a',
  iam_instance_profile: 'app-profile',
  spot: true,
};

const inCamelCase = {
  instanceType: all.instance_type,
  imageId: all.image_id,
  subnetId: all.subnet_id,
  securityGroupIds: all.security_group_ids,
  availabilityZone: all.availability_zone,
  iamInstanceProfile: all.iam_instance_profile,
  spot: true,
};

describe('provider_hints.aws', () => {
  it.each([
    ['snake case', all],
    ['camel case', inCamelCase],
    ['both, where they agree', { ...all, ...inCamelCase }],
  ])('is read in %s', (_, hints) => {
    expect(aws(hints)).toEqual({ hints: all, violations: [] });
  });

  it('may be absent, or for other providers', () => {
    expect(hintsOf({})).toEqual({ hints: {}, violations: [] });
    expect(hintsOf({ provider_hints: { azure: { vm_size: 'B1s' } } })).toEqual({ hints: {}, violations: [] });
  });

  it('is refused where two spellings have different values', () => {
    const { violations } = aws({ instance_type: 't3.micro', instanceType: 't3.large' });

    expect(violations).toEqual([
      { path: 'provider_hints.aws.instanceType', message: 'differs from provider_hints.aws.instance_type' },
    ]);
  });

  it.each([
    'user_data',
    'userData',
    'key_name',
    'iamRole',
    'InstanceType',
    'instance-type',
    'placement',
    '__proto__x',
    'toString',
    'constructor',
  ])('is refused with the unknown key %s, which never reaches EC2 (C 7, C 8)', (key) => {
    const { hints, violations } = aws({ [key]: 'anything' });

    expect(hints).toEqual({});
    expect(violations).toEqual([
      {
        path: `provider_hints.aws.${key}`,
        message:
          'unknown; expected one of instance_type, image_id, subnet_id, security_group_ids, availability_zone, iam_instance_profile, spot',
      },
    ]);
  });

  it.each([
    ['provider_hints.instance_type', { provider_hints: { instance_type: 't3.micro' } }, 'instance_type'],
    [
      'provider_hints.instanceType',
      { provider_hints: { instanceType: 't3.micro', aws: {} } },
      'instance_type',
    ],
    ['image_id', { image_id: 'ami-01234567' }, 'image_id'],
    ['securityGroupIds', { securityGroupIds: ['sg-01234567'] }, 'security_group_ids'],
    ['spot', { spot: true }, 'spot'],
  ])('is named as the place of the hint at %s (C 9)', (path, spec, name) => {
    expect(hintsOf(spec).violations).toEqual([{ path, message: `belongs to provider_hints.aws.${name}` }]);
  });

  it('is named as the place of a top-level aws', () => {
    expect(hintsOf({ aws: { instance_type: 't3.micro' } }).violations).toEqual([
      { path: 'aws', message: 'belongs to provider_hints.aws' },
    ]);
  });

  it.each([
    ['instance_type', 'large', 'such as t3.medium'],
    ['instance_type', 't3.micro; reboot', 'such as t3.medium'],
    ['instance_type', 3, 'such as t3.medium'],
    ['image_id', 'rhel-9', 'such as ami-'],
    ['image_id', 'ami-0123', 'such as ami-'],
    ['subnet_id', 'subnet-x', 'such as subnet-'],
    ['security_group_ids', 'sg-0123456789abcdef0', 'a list of 1 to 16 ids'],
    ['security_group_ids', ['default'], 'such as sg-'],
    ['security_group_ids', Array.from({ length: 17 }, () => 'sg-01234567'), 'a list of 1 to 16 ids'],
    ['availability_zone', 'us-east-1', 'such as us-east-1a'],
    ['iam_instance_profile', 'a profile', 'name or the ARN'],
    ['iam_instance_profile', 'arn:aws:iam::123456789012:role/admin', 'name or the ARN'],
    ['spot', 'yes', 'true or false'],
  ])('is refused for %s %j (C 3, C 7)', (name, value, expected) => {
    const [violation, ...more] = aws({ [name]: value }).violations;

    expect(more).toEqual([]);
    expect(violation?.path).toBe(`provider_hints.aws.${name}`);
    expect(violation?.message).toContain(expected);
  });

  it.each(['us-east-1a', 'eu-central-2c', 'us-gov-west-1b', 'us-west-2-lax-1a'])(
    'accepts the zone %s',
    (zone) => {
      expect(aws({ availability_zone: zone }).hints).toEqual({ availability_zone: zone });
    },
  );

  it('accepts the ARN of an instance profile', () => {
    const arn = 'arn:aws-us-gov:iam::123456789012:instance-profile/team/app';

    expect(aws({ iamInstanceProfile: arn }).hints).toEqual({ iam_instance_profile: arn });
  });
});
