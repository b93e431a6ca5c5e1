import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isStuck, stuckNotice } from '../../../shared/core/follow-up.ts';
import { sequenceOf } from '../../../shared/core/gate.ts';
import {
  isNewRepublication,
  messageText,
  type Resource,
  republicationTime,
} from '../../../shared/core/resource.ts';
import { InstanceState, vmKind } from '../../../shared/service-types/vm/kind.ts';

import { dcmId, halfPastTen, observed, resourceId, spotWarning } from '../../fixtures/resource-messages.ts';
import { fixedPart, noticeStatus, repeatedStatus, statusOf } from '../../fixtures/statuses.ts';

const held = (state: InstanceState, seconds = 0) =>
  ({
    resourceId,
    kind: vmKind,
    dcmId,
    region: 'us-east-1',
    account: '123456789012',
    state,
    sequence: sequenceOf(vmKind, observed(state, seconds)),
    outbox: [],
    history: [],
  }) satisfies Resource;

describe('status of a launch that is stuck', () => {
  const launch = { state: 'pending', launchedAtMs: halfPastTen * 1000 } as const;
  const minutes = (n: number) => (halfPastTen + n * 60) * 1000;

  it('is noticed fifteen minutes after the launch, and of nothing that came up', () => {
    expect([14.99, 15, 60].map((after) => isStuck(vmKind, launch, minutes(after)))).toEqual([
      false,
      true,
      true,
    ]);
    expect(isStuck(vmKind, { ...launch, state: 'running' }, minutes(60))).toBe(false);
  });

  it('has the time of the deadline, but none before its state was seen', () => {
    expect(stuckNotice(vmKind, launch, halfPastTen).at).toBe(halfPastTen + 900);
    expect(stuckNotice(vmKind, launch, halfPastTen + 1800).at).toBe(halfPastTen + 1800);
  });

  it('is FAILED, and stays it when EC2 warns of something else', () => {
    const notice = { ...spotWarning(), ...stuckNotice(vmKind, launch, halfPastTen) };
    const vm = held('pending');
    const rebalance = spotWarning(1000, { notice: 'rebalance-recommendation' });

    expect(noticeStatus(vm, notice)).toMatchObject({
      status: 'FAILED',
      message: `instance ${resourceId} is pending: stuck: it has not come up within 15 minutes`,
    });
    expect(noticeStatus({ ...vm, notices: { 'stuck-launch': notice } }, rebalance).status).toBe('FAILED');
    expect(
      noticeStatus({ ...held('pending', 3600), notices: { 'stuck-launch': notice } }, rebalance).status,
    ).toBe('PROVISIONING');
  });
});

describe('status told again', () => {
  const latest = statusOf(observed('stopped', 0, { reason: { code: 'Server.ScheduledStop' } }));
  const vm = { ...held('stopped'), latest };

  it('says what was told last, and sorts after it and before the next', () => {
    const repeated = repeatedStatus(vm, { at: halfPastTen + 60 });
    const keys = [latest.key, repeated.key, statusOf(observed('pending', 30)).key];

    expect(repeated).toMatchObject({
      id: `${resourceId}:${halfPastTen + 60}:${fixedPart}:again`,
      at: halfPastTen,
      republishedAt: halfPastTen + 60,
      status: 'STOPPED',
      message: latest.message,
    });
    expect(keys).toEqual(keys.toSorted());
    expect([latest, repeated].map(republicationTime)).toEqual([undefined, halfPastTen + 60]);
  });

  it('keeps the time and the request of the change, however often it is republished', () => {
    const stopped = statusOf(observed('stopped', 0, { requestId: 'r-1' }));
    const once = repeatedStatus({ ...vm, latest: stopped }, { at: halfPastTen + 60 });
    const twice = repeatedStatus({ ...vm, latest: once }, { at: halfPastTen + 120 });

    expect([once, twice]).toMatchObject([
      { at: halfPastTen, requestId: 'r-1', republishedAt: halfPastTen + 60 },
      { at: halfPastTen, requestId: 'r-1', republishedAt: halfPastTen + 120 },
    ]);
  });

  it('has the time of the change where an earlier version stored the time of the request', () => {
    const at = halfPastTen + 60;
    const stored = { ...latest, key: `${latest.key}-${at}-again`, id: `${resourceId}:${at}:again`, at };
    const repeated = repeatedStatus({ ...vm, latest: stored }, { at: halfPastTen + 120 });

    expect(republicationTime(stored)).toBe(at);
    expect(repeated).toMatchObject({ at: halfPastTen, republishedAt: halfPastTen + 120 });
  });

  it('is news only for a request that is newer than all before', () => {
    const answered = { ...vm, repeatedAt: halfPastTen };

    expect(isNewRepublication(vm, { at: halfPastTen })).toBe(true);
    expect([-1, 0, 1].map((seconds) => isNewRepublication(answered, { at: halfPastTen + seconds }))).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('and a warning sort in the order in which they are told, whatever their seconds', () => {
    const later = repeatedStatus(vm, { at: halfPastTen + 60 });
    const warned = noticeStatus({ ...vm, latest: later }, spotWarning(30));
    const last = repeatedStatus({ ...vm, latest: warned }, { at: halfPastTen + 20 });
    const keys = [latest.key, later.key, warned.key, last.key];

    expect(keys).toEqual([...new Set(keys)].sort());
  });
});

describe('status of an observation', () => {
  it('has a key that orders it and an id that is the same at every attempt', () => {
    expect(statusOf(observed('running', 9))).toEqual({
      key: `${halfPastTen + 9}1`,
      id: `${resourceId}:${halfPastTen + 9}:${fixedPart}:1`,
      at: halfPastTen + 9,
      status: 'RUNNING',
      message: `instance ${resourceId} is running`,
    });
  });

  it.each([
    { reason: { code: 'Client.UserInitiatedShutdown' }, says: 'Client.UserInitiatedShutdown' },
    {
      reason: { code: 'Server.InternalError', message: 'Server.InternalError: on launch' },
      says: 'Server.InternalError: on launch',
    },
  ])('says why, by EC2’s message or else its code: $says', ({ reason, says }) => {
    const { message } = statusOf(observed('stopped', 0, { reason }));

    expect(message).toBe(`instance ${resourceId} is stopped: ${says}`);
  });

  it('prefers the reason that the observation itself gives', () => {
    const own = { code: 'Server.SpotInstanceTermination' };

    const status = statusOf(observed('terminated', 0, { reason: own }), {
      reason: { code: 'Client.UserInitiatedShutdown' },
    });

    expect(status).toMatchObject({ status: 'FAILED', message: expect.stringContaining(own.code) });
  });

  it('repeats the warning that still holds', () => {
    const { status, message } = statusOf(observed('terminated'), {
      reason: { code: 'Server.SpotInstanceTermination' },
      notice: 'spot-interruption',
      noticeText: 'EC2 will terminate it',
    });

    expect(status).toBe('FAILED');
    expect(message).toBe(
      `instance ${resourceId} is terminated: Server.SpotInstanceTermination; EC2 will terminate it`,
    );
  });

  it('says that the reason of a termination is not known', () => {
    expect(statusOf(observed('terminated')).message).toBe(
      `instance ${resourceId} is terminated (reason unavailable)`,
    );
  });

  it('says that a termination was requested, where the service gives no reason', () => {
    const message = (reason?: { code: string }) =>
      statusOf(observed('terminated'), { deleteRequested: true, reason }).message;

    expect(message()).toBe(`instance ${resourceId} is terminated: deleted by request`);
    expect(message({ code: 'Client.UserInitiatedShutdown' })).toBe(
      `instance ${resourceId} is terminated: Client.UserInitiatedShutdown`,
    );
  });

  it('quotes a state that is not known (C19)', () => {
    const status = statusOf(observed('running', 0, { unrecognised: 'rebooting' }));

    expect(status).toMatchObject({ status: 'RUNNING', message: expect.stringContaining('"rebooting"') });
  });

  it('is DELETED for a VM that DCM deleted', () => {
    const reason = { code: 'Server.InternalError' };

    const status = statusOf(observed('terminated', 0, { reason }), { deleteRequested: true });

    expect(status.status).toBe('DELETED');
  });

  it('has a message in every state', () => {
    for (const state of InstanceState.options) {
      expect(statusOf(observed(state)).message).toContain(resourceId);
    }
  });
});

describe('status of a notice', () => {
  it('says again what is held, with the warning', () => {
    expect(noticeStatus(held('running'), spotWarning(5))).toEqual({
      key: expect.stringContaining(`${halfPastTen}1-${halfPastTen + 5}`),
      id: `${resourceId}:${halfPastTen + 5}:${fixedPart}:spot-interruption`,
      at: halfPastTen + 5,
      status: 'RUNNING',
      message: `instance ${resourceId} is running: spot interruption: EC2 will terminate it`,
    });
  });

  it('has every other current warning behind its own, for DCM keeps the last message only', () => {
    const rebalance = spotWarning(5, { notice: 'rebalance-recommendation', text: 'rebalance recommended' });
    const passes = spotWarning(9, { notice: 'recovered', text: '' });
    const warned = {
      ...held('running'),
      notices: { 'spot-interruption': spotWarning(3), impaired: { at: halfPastTen + 4, text: 'impaired' } },
    };

    expect([rebalance, passes].map((notice) => noticeStatus(warned, notice).message)).toEqual([
      `instance ${resourceId} is running: rebalance recommended; ${spotWarning().text}; impaired`,
      `instance ${resourceId} is running: ${spotWarning().text}`,
    ]);
  });

  it('sorts after the held status and before any that follows it', () => {
    const second = fc.integer({ min: 1_000_000_000, max: 9_999_999_998 });
    const state = fc.constantFrom(...InstanceState.options);
    fc.assert(
      fc.property(second, second, state, state, (one, other, before, next) => {
        fc.pre(
          sequenceOf(vmKind, { at: one, state: before }) < sequenceOf(vmKind, { at: other, state: next }),
        );
        const now = statusOf(observed(before, 0, { at: one }));
        const then = statusOf(observed(next, 0, { at: other }));
        const vm = { ...held(before), sequence: sequenceOf(vmKind, { at: one, state: before }) };

        const { key } = noticeStatus(vm, spotWarning(0, { at: Math.max(one, other) }));

        expect([then.key, key, now.key].sort()).toEqual([now.key, key, then.key]);
      }),
    );
  });

  it('sorts by its time among the notices of one status', () => {
    const [earlier, later] = [5, 11].map(
      (seconds) => noticeStatus(held('running'), spotWarning(seconds)).key,
    );

    expect(String(earlier) < String(later)).toBe(true);
  });

  it('has a key of its own among the notices of one second, so that settling one leaves the other', () => {
    const rebalance = spotWarning(5, { notice: 'rebalance-recommendation' });
    const [one, other] = [spotWarning(5), rebalance].map(
      (notice) => noticeStatus(held('running'), notice).key,
    );

    expect(one).not.toBe(other);
  });
});

describe('message text', () => {
  it('is taken as it is up to 1 KiB', () => {
    const text = 'é'.repeat(512);

    expect(messageText(text)).toBe(text);
  });

  it('loses every NUL, which Postgres refuses', () => {
    expect(messageText('a\0b\0')).toBe('ab');
  });

  it('has U+FFFD for half a surrogate pair, which UTF-8 cannot encode', () => {
    expect(messageText('shop \ud83d!')).toBe('shop \ufffd!');
    expect(messageText(`${'x'.repeat(2_000)}\udc00`).isWellFormed()).toBe(true);
  });

  it('is cut to 1 KiB of UTF-8, never through a character, and shows that it was', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom('a', 'é', '€', '😀', '\0'), { minLength: 300, maxLength: 1200 }),
        (characters) => {
          const whole = characters.filter((character) => character !== '\0').join('');

          const text = messageText(characters.join(''));

          expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1024);
          if (text === whole) return;
          expect(text.at(-1)).toBe('…');
          expect(whole.startsWith(text.slice(0, -1))).toBe(true);
          expect(Buffer.byteLength(text)).toBeGreaterThan(1024 - 4);
          expect(Buffer.from(text).toString()).toBe(text);
        },
      ),
    );
  });

  it.each([
    { over: 'a'.repeat(1025), kept: 'a'.repeat(1021) },
    { over: '€'.repeat(342), kept: '€'.repeat(340) },
    { over: '😀'.repeat(257), kept: '😀'.repeat(255) },
  ])('keeps as much as fits', ({ over, kept }) => {
    expect(messageText(over)).toBe(`${kept}…`);
  });
});
