import { describe, expect, it } from 'vitest';
import { Env, providerOf } from '../../../functions/registration/env.ts';

const least = {
  FLEET_TABLE: 'fleet',
  PROVIDER_NAME: 'ec2-sp',
  HOME_REGION: 'eu-west-1',
  REGIONS: '["eu-west-1","us-east-1"]',
  CONTROL_PLANE_URL: 'http://dcm.test:8080',
  PUBLIC_URL: 'https://api.test',
};

describe('environment of the registration', () => {
  it('says who the provider is', () => {
    expect(providerOf(Env.parse(least))).toEqual({
      name: 'ec2-sp',
      homeRegion: 'eu-west-1',
      regions: ['eu-west-1', 'us-east-1'],
      publicUrl: 'https://api.test',
    });
  });

  it.each([
    ['no region', { REGIONS: '[]' }],
    ['regions that are no JSON', { REGIONS: 'eu-west-1' }],
    ['no address of DCM', { CONTROL_PLANE_URL: 'dcm' }],
    ['no name', { PROVIDER_NAME: '' }],
  ])('is refused at the cold start with %s (C 61)', (_, wrong) => {
    expect(Env.safeParse({ ...least, ...wrong }).success).toBe(false);
  });
});
