import { describe, expect, it } from 'vitest';
import { historyLength, pastStatusOf, surplusOf } from '../../../shared/core/history.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { dcmId, halfPastTen, observed, resourceId, spotWarning } from '../../fixtures/resource-messages.ts';
import { noticeStatus, statusOf } from '../../fixtures/statuses.ts';

const past = (seconds: number) => pastStatusOf(statusOf(observed('running', seconds)));

describe('the history of a VM', () => {
  it('says what the VM came to be, when and why', () => {
    const reason = { code: 'Server.ScheduledStop' };

    expect(pastStatusOf(statusOf(observed('stopped', 60, { reason })))).toEqual({
      key: String((halfPastTen + 60) * 10 + 3),
      at: halfPastTen + 60,
      status: 'STOPPED',
      message: `instance ${resourceId} is stopped: Server.ScheduledStop`,
    });
  });

  it('has a warning at its own time', () => {
    const identity = { kind: vmKind, resourceId, dcmId, region: 'us-east-1', account: '123456789012' };
    const vm = {
      ...identity,
      sequence: halfPastTen * 10 + 1,
      outbox: [],
      history: [],
      state: 'running',
    } as const;

    expect(pastStatusOf(noticeStatus(vm, spotWarning(60)))).toMatchObject({
      at: halfPastTen + 60,
      status: 'RUNNING',
      message: expect.stringContaining('spot interruption'),
    });
  });

  it.each([0, 1, historyLength])('has nothing to spare with %i statuses', (length) => {
    expect(
      surplusOf(
        Array.from({ length }, (_, n) => past(n)),
        [],
      ),
    ).toEqual([]);
  });

  it('can spare the oldest', () => {
    const history = Array.from({ length: historyLength + 2 }, (_, n) => past(n));

    expect(surplusOf(history, [])).toEqual([past(0).key, past(1).key]);
  });

  it('keeps what is unpublished and the ten statuses before it, by which the debounce decides', () => {
    const history = Array.from({ length: 40 }, (_, n) => past(n));
    const kept = history.slice(5, 16);

    expect(surplusOf(history, [past(15).key])).toEqual(
      history.slice(0, -historyLength).flatMap((one) => (kept.includes(one) ? [] : [one.key])),
    );
  });
});
