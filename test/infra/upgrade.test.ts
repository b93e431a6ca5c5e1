import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { changedByUpdate, deployedBy, fixtureOf, upgradedSettings } from './upgrade-fixtures.ts';

const Deployed = z.record(z.string(), z.record(z.string(), z.unknown()));
const released = (name: string) => Deployed.parse(JSON.parse(readFileSync(fixtureOf(name), 'utf8')));

describe('an update of a deployed version', () => {
  it.each(Object.entries(upgradedSettings()))(
    'replaces, renames and removes nothing of a deployment with %s',
    (name, settings) => {
      expect(changedByUpdate(released(name), deployedBy(settings))).toEqual([]);
    },
  );
});

describe('what an update would change', () => {
  const before = {
    'dcm-ec2-sp': {
      'Resources.Table.KeySchema': [{ AttributeName: 'pk', KeyType: 'HASH' }],
      'Resources.Queue.QueueName': null,
    },
  };
  const { 'dcm-ec2-sp': stack } = before;

  it('is nothing if there are only new resources', () => {
    const after = { 'dcm-ec2-sp': { ...stack, 'Outputs.New': { Export: null } }, another: {} };
    expect(changedByUpdate(before, after)).toEqual([]);
  });

  it('includes a key schema that differs', () => {
    const after = { 'dcm-ec2-sp': { ...stack, 'Resources.Table.KeySchema': [] } };
    expect(changedByUpdate(before, after)).toEqual([
      'dcm-ec2-sp: Resources.Table.KeySchema was [{"AttributeName":"pk","KeyType":"HASH"}], is []',
    ]);
  });

  it('includes a name given to a resource that CloudFormation named', () => {
    const after = { 'dcm-ec2-sp': { ...stack, 'Resources.Queue.QueueName': 'observations' } };
    expect(changedByUpdate(before, after)).toEqual([
      'dcm-ec2-sp: Resources.Queue.QueueName was null, is "observations"',
    ]);
  });

  it('includes a removed stack', () => {
    expect(changedByUpdate(before, {})).toHaveLength(2);
  });
});
