import { describe, expect, it } from 'vitest';
import { checkedState, secondsToCheck } from '../../../shared/core/follow-up.ts';
import { pastStatusOf } from '../../../shared/core/history.ts';
import { InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';

import { dcmId, halfPastTen, observed, resourceId } from '../../fixtures/resource-messages.ts';
import { repeatedStatus, statusOf } from '../../fixtures/statuses.ts';

const keyOf = (state: InstanceState, seconds = 0) => statusOf(observed(state, seconds)).key;
const minutes = (n: number) => (halfPastTen + n * 60) * 1000;

const blank = {
  kind: vmKind,
  ...{ resourceId, dcmId, region: 'us-east-1', account: '123456789012' },
  ...{ sequence: 0, outbox: [], history: [] },
};

describe('a transition', () => {
  it.each(InstanceState.options)('is a state that ends by itself: %s', (state) => {
    const history = [pastStatusOf(statusOf(observed(state)))];
    const ends = ['pending', 'stopping', 'shutting-down'].includes(state);

    expect(checkedState({ ...blank, state, history })).toBe(ends ? keyOf(state) : undefined);
  });

  it('is the same one after the gate moved, or something was told beside it', () => {
    const latest = statusOf(observed('stopping'));
    const vm = { ...blank, sequence: Number(latest.key), latest, history: [pastStatusOf(latest)] };
    const again = pastStatusOf(repeatedStatus(vm, { at: halfPastTen + 60 }));

    expect(checkedState({ ...blank, state: 'stopping', history: [pastStatusOf(latest), again] })).toBe(
      latest.key,
    );
  });

  it('is none of a VM that nothing is known of', () => {
    expect(checkedState({ ...blank, state: 'stopping' })).toBeUndefined();
    expect(checkedState(blank)).toBeUndefined();
  });

  it('is checked like a VM that runs and has not got its public address', () => {
    const running = {
      ...blank,
      state: 'running' as const,
      history: [pastStatusOf(statusOf(observed('running')))],
    };
    const seconds = [1, 12, 13].map((turn) => secondsToCheck(vmKind, keyOf('running'), turn, minutes(1)));

    expect(checkedState({ ...running, getsPublicAddress: true })).toBe(keyOf('running'));
    expect(
      checkedState({ ...running, getsPublicAddress: true, publicAddress: '203.0.113.7' }),
    ).toBeUndefined();
    expect(seconds).toEqual([25, 25, undefined]);
  });

  it('is checked each 25 seconds for five minutes, then seldom', () => {
    const seconds = [1, 2, 12, 13, 50].map((turn) =>
      secondsToCheck(vmKind, keyOf('stopping'), turn, minutes(600)),
    );

    expect(seconds).toEqual([25, 25, 25, 300, 300]);
  });

  it('is checked no more once a launch is stuck, which is noticed otherwise', () => {
    const check = (minute: number) => secondsToCheck(vmKind, keyOf('pending'), 13, minutes(minute));

    expect([check(14.9), check(15)]).toEqual([300, undefined]);
  });
});
