import { describe, expect, it } from 'vitest';
import type { BilledFacts } from '../../../shared/core/outputs.ts';
import { containerKind } from '../../../shared/service-types/container/kind.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { statusEvent } from '../../../shared/wire/dcm-status.ts';

const status = { key: '17873946001', id: 'an-id', at: 1_787_394_600, status: 'RUNNING', message: 'it runs' };
const vm = { kind: vmKind, dcmId: 'web-1', resourceId: 'i-1234567890abcdef0', region: 'eu-west-1' };
const eventOf = (facts: BilledFacts & { readonly account?: string }, kind = vmKind) =>
  statusEvent({ ...vm, kind, ...facts }, status, 'ec2-sp');

describe('what decides the price of a resource', () => {
  it('is in extensions of its CloudEvents, with the account', () => {
    const facts = { size: 't3.medium', platform: 'SUSE Linux', zone: 'eu-west-1a', account: '111111111111' };

    expect(eventOf(facts)).toMatchObject({
      ...{ instancetype: 't3.medium', platform: 'SUSE Linux', zone: 'eu-west-1a', account: '111111111111' },
    });
    expect(eventOf({ size: 't3.medium' })).toMatchObject({ platform: 'Linux/UNIX' });
  });

  it('includes that it is a spot instance', () => {
    expect(eventOf({ size: 't3.medium', market: 'spot' })).toMatchObject({ market: 'spot' });
    expect(eventOf({ size: 't3.medium' })).not.toHaveProperty('market');
  });

  it('is CPU and memory of a container', () => {
    const event = eventOf({ size: '256/512', zone: 'eu-west-1a' }, containerKind);

    expect(event).toMatchObject({ taskcpu: '256', taskmemory: '512', zone: 'eu-west-1a' });
    expect(event).not.toHaveProperty('instancetype');
  });

  it('is absent where it is not known, and in names that DCM accepts', () => {
    const known = Object.keys(eventOf({ size: 't3.medium', zone: 'eu-west-1a', account: '111111111111' }));

    expect(Object.keys(eventOf({}))).toEqual(
      known.filter((name) => !/^(instancetype|platform|zone|account)$/.test(name)),
    );
    for (const name of known) expect(name).toMatch(/^[a-z0-9]+$/);
  });
});
