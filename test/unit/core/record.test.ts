import { describe, expect, it } from 'vitest';
import { isLaunched, isLeased } from '../../../shared/core/record.ts';
import { factsOf, factsSeen, type VmRecord } from '../../../shared/service-types/vm/record.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { launchPlan, vmFacts } from '../../fixtures/launches.ts';

const record = (more: Partial<VmRecord> = {}): VmRecord => ({
  dcmId: 'vm-1',
  region: 'us-east-1',
  generation: 0,
  attempt: 0,
  leaseNumber: 1,
  createdAtMs: 1000,
  updatedAtMs: 1000,
  ...more,
});
const instance = { resourceId: 'i-00000000000000001', account: '123456789012', facts: vmFacts() };

describe('a VM’s record', () => {
  it('is launched once instance, account and facts are known', () => {
    expect(isLaunched(record(instance))).toBe(true);
    expect(isLaunched(record())).toBe(false);
    for (const missing of ['resourceId', 'account', 'facts'])
      expect(isLaunched(record({ ...instance, [missing]: undefined }))).toBe(false);
  });

  it('is in somebody’s hands until the lease runs out, or there is an instance', () => {
    expect(isLeased(record({ leaseUntilMs: 5000 }), 4999)).toBe(true);
    expect(isLeased(record({ leaseUntilMs: 5000 }), 5000)).toBe(false);
    expect(isLeased(record({ ...instance, leaseUntilMs: 5000 }), 4999)).toBe(false);
    expect(isLeased(record(), 0)).toBe(false);
  });
});

describe('the facts of a VM', () => {
  it('are what the instance shows, completed by the plan for its attempt', () => {
    const launch = launchPlan();

    expect(factsOf({ launch, attempt: 1 }, { launchedAtMs: 1 })).toEqual({
      instanceType: 't3.small',
      imageId: launch.imageId,
      zone: 'us-east-1b',
      sshUser: 'ec2-user',
      chosenBy: launch.chosenBy,
      getsPublicAddress: false,
      launchedAtMs: 1,
    });
    expect(
      factsOf({ launch, attempt: 2 }, vmFacts({ instanceType: 'c7i.large', imageId: 'ami-2' })),
    ).toMatchObject({
      instanceType: 'c7i.large',
      imageId: 'ami-2',
      zone: 'us-east-1a',
    });
  });

  it('are what the instance shows, where there is no plan', () => {
    expect(factsOf(undefined, vmFacts())).toEqual(vmFacts());
    expect(factsOf(record(), vmFacts())).toEqual(vmFacts());
  });

  it('are those of an instance that concern a VM', () => {
    expect(factsSeen(described({ zone: 'us-east-1a', launchedAtMs: 7, tags: { a: 'b' } }))).toEqual({
      zone: 'us-east-1a',
      privateAddress: '10.0.0.4',
      launchedAtMs: 7,
    });
  });
});
