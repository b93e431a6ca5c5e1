import { describe, expect, it } from 'vitest';
import { Env } from '../../../functions/normaliser/env.ts';
import { tagKeys } from '../../fixtures/resource-messages.ts';

const environment = {
  FLEET_TABLE: 'fleet',
  NATS_BRIDGE: 'nats-bridge',
  OBSERVATIONS_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/observations',
  DEAD_LETTER_QUEUE_URL: 'https://sqs.us-east-1.amazonaws.com/123456789012/dead-letters',
  REGIONS: '["us-east-1"]',
  PROVIDER_NAME: 'ec2-sp',
  TAG_KEYS: '{}',
};

describe('the normaliser’s environment', () => {
  it('is what the stack supplies, and nothing else', () => {
    expect(Env.parse({ ...environment, PATH: '/usr/bin' })).toEqual({
      ...environment,
      REGIONS: ['us-east-1'],
      TAG_KEYS: tagKeys,
      SERVICE_TYPES: ['vm'],
      ECS_CLUSTERS: {},
      PUBLIC_CONTAINERS: 'false',
    });
  });

  it('may say where containers run, and how one that is starting is reported', () => {
    const containers = { SERVICE_TYPES: '["vm","container"]', ECS_CLUSTERS: '{"us-east-1":"ec2-sp"}' };

    expect(Env.parse({ ...environment, ...containers, STARTING_AS: 'PENDING' })).toMatchObject({
      SERVICE_TYPES: ['vm', 'container'],
      ECS_CLUSTERS: { 'us-east-1': 'ec2-sp' },
      STARTING_AS: 'PENDING',
    });
  });

  it.each(Object.keys(environment))('is refused by name without %s (C61)', (name) => {
    expect(() => Env.parse({ ...environment, [name]: undefined })).toThrow(name);
  });

  it.each([
    ['FLEET_TABLE', ''],
    ['NATS_BRIDGE', ''],
    ['PROVIDER_NAME', ''],
    ['OBSERVATIONS_QUEUE_URL', 'observations'],
    ['DEAD_LETTER_QUEUE_URL', ''],
    ['TAG_KEYS', '{"managedBy":""}'],
    ['TAG_KEYS', 'managed-by'],
    ['REGIONS', 'us-east-1'],
    ['REGIONS', '[]'],
    ['REGIONS', '[""]'],
    ['ACCOUNT_ID', '12345'],
    ['BURST', '0'],
    ['BURST', '10'],
    ['BURST', 'many'],
    ['SERVICE_TYPES', '["database"]'],
    ['ECS_CLUSTERS', '["ec2-sp"]'],
    ['STARTING_AS', 'RUNNING'],
  ])('is refused by name with %s=%s (C61)', (name, value) => {
    expect(() => Env.parse({ ...environment, [name]: value })).toThrow(name);
  });

  it('may say the account whose instances are reported', () => {
    expect(Env.parse({ ...environment, ACCOUNT_ID: '123456789012' }).ACCOUNT_ID).toBe('123456789012');
  });

  it('may say how often a VM may change in ten seconds and be told of each time', () => {
    expect(Env.parse({ ...environment, BURST: '8' }).BURST).toBe(8);
  });
});
