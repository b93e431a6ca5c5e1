import { describe, expect, it } from 'vitest';
import { clientToken, isLaunchedByUs } from '../../../../shared/service-types/client-token.ts';

const dcmId = 'vm-1';
const token = (generation: number, attempt = 0) => clientToken('ec2-sp', { dcmId, generation, attempt });

describe('whether this provider launched an instance', () => {
  it('is recognised by the client token of any attempt of the first hundred generations, without a record', () => {
    for (const generation of [0, 1, 42, 99])
      for (const attempt of [0, 1, 2])
        expect(isLaunchedByUs('ec2-sp', { dcmId }, token(generation, attempt))).toBe(true);
  });

  it('is not recognised beyond a hundred generations, unless the record has a later one', () => {
    expect(isLaunchedByUs('ec2-sp', { dcmId }, token(100))).toBe(false);
    expect(isLaunchedByUs('ec2-sp', { dcmId, generation: 100 }, token(100))).toBe(true);
    expect(isLaunchedByUs('ec2-sp', { dcmId, generation: 100 }, token(7))).toBe(true);
  });

  it.each([
    ['no client token', undefined],
    ['an empty client token', ''],
    ['a client token of somebody else', '5e1ba2f0-8e7c-4d36-8f0e-0f5a3b1c2d3e'],
    ['the client token of another VM', clientToken('ec2-sp', { dcmId: 'vm-2', generation: 0, attempt: 0 })],
    ['the client token of another provider', clientToken('ec2-sp-2', { dcmId, generation: 0, attempt: 0 })],
  ])('is false of %s', (_, other) => {
    expect(isLaunchedByUs('ec2-sp', { dcmId }, other)).toBe(false);
  });

  it('is true of instances that earlier versions launched, with the same tokens', () => {
    expect(token(0)).toBe('bb18939d-509d-5e1f-99f1-d22516765234');
  });
});
