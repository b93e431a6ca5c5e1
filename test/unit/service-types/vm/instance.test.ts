import { describe, expect, it } from 'vitest';
import { rankOf } from '../../../../shared/core/kind.ts';
import {
  InstanceId,
  InstanceState,
  instanceStateOf,
  vmKind,
} from '../../../../shared/service-types/vm/kind.ts';

describe('instance id', () => {
  it.each(['i-1234567890abcdef0', 'i-1a2b3c4d'])('is one of both lengths that EC2 has issued: %s', (id) => {
    expect(InstanceId.parse(id)).toBe(id);
  });

  it('loses the blanks around it', () => {
    expect(InstanceId.parse(' i-1234567890abcdef0\n')).toBe('i-1234567890abcdef0');
  });

  it.each([
    '',
    'i-',
    'i-1234567',
    'i-123456789',
    'i-1234567890abcdef',
    'i-1234567890abcdef01',
    'i-1234567890ABCDEF0',
    'i-1234567890abcdefg',
    'vol-1234567890abcdef0',
    'arn:aws:ec2:us-east-1:123456789012:instance/i-1234567890abcdef0',
    'i-1234567890 abcdef0',
    7,
    null,
  ])('is not %o', (id) => {
    expect(InstanceId.safeParse(id).success).toBe(false);
  });
});

describe('instance state', () => {
  it.each(InstanceState.options)('is known by its name, in any case and between blanks: %s', (state) => {
    expect(instanceStateOf(state)).toEqual({ state });
    expect(instanceStateOf(` ${state.toUpperCase()}\n`)).toEqual({ state });
  });

  it.each(['rebooting', '', 'shutting down', 'constructor'])(
    'is the nearest active one, and keeps the word, where EC2 says "%s" (C19)',
    (word) => {
      expect(instanceStateOf(word)).toEqual({ state: 'running', unrecognised: word });
    },
  );

  it('has a rank of its own, in the order of one pass from launch to termination', () => {
    expect(InstanceState.options.map((state) => rankOf(vmKind, state))).toEqual([0, 1, 2, 3, 4, 5]);
  });
});
