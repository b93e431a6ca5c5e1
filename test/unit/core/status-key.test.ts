import { describe, expect, it } from 'vitest';
import {
  isStateKey,
  keyBeside,
  secondOfKey,
  sequenceOf,
  stateOfKey,
  wordOfKey,
} from '../../../shared/core/gate.ts';
import { InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

describe('the key of a status', () => {
  it.each(InstanceState.options)('tells second and state of %s', (state) => {
    const key = String(sequenceOf(vmKind, { at: halfPastTen, state }));

    expect([secondOfKey(key), stateOfKey(vmKind, key), isStateKey(key)]).toEqual([halfPastTen, state, true]);
  });

  it('tells, of what is told beside a state, that state and its own second', () => {
    const sequence = sequenceOf(vmKind, { at: halfPastTen, state: 'stopped' });
    const key = keyBeside(sequence, halfPastTen + 60, 'spot-interruption');

    expect([wordOfKey(key), wordOfKey(String(sequence))]).toEqual(['spot-interruption', undefined]);

    expect([secondOfKey(key), stateOfKey(vmKind, key), isStateKey(key)]).toEqual([
      halfPastTen + 60,
      'stopped',
      false,
    ]);
  });

  it('places what is told beside a state after it and before the next', () => {
    const [held, next] = [0, 1].map((second) =>
      sequenceOf(vmKind, { at: halfPastTen + second, state: 'pending' }),
    );
    const keys = [String(held), keyBeside(held ?? 0, halfPastTen + 60, 'again'), String(next)];

    expect(keys).toEqual(keys.toSorted());
  });
});
