import { describe, expect, it } from 'vitest';
import {
  InstanceState,
  NoticeKind,
  needsReason,
  vmStatus,
} from '../../../../shared/service-types/vm/kind.ts';

/** https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html */
const orderly = ['Client.UserInitiatedShutdown', 'Client.InstanceInitiatedShutdown'];
const harmless = [...orderly, 'Client.InstanceTerminated', 'Client.UserInitiatedHibernate'];
const failures = [
  'Server.InsufficientInstanceCapacity',
  'Server.InternalError',
  'Server.ScheduledStop',
  'Server.SpotInstanceShutdown',
  'Server.SpotInstanceTermination',
  'Server.SomethingNew',
  'Client.InternalError',
  'Client.InvalidSnapshot.NotFound',
  'Client.VolumeLimitExceeded',
];
/** Real, or possible, and not in EC2's list. */
const unlisted = ['Client.InvalidKMSKey.InvalidState', 'Client.SomethingNew'];
const codes = [...harmless, ...failures, ...unlisted];

/** A code where EC2 can put it: as the code, before the message's first colon, or both. */
const asReasons = (code: string) => [
  { code },
  { code, message: `${code}: what happened` },
  { message: `${code}: what happened` },
  { message: ` ${code} : what happened: details` },
];

const circumstances = [undefined, ...codes.flatMap(asReasons)].flatMap((reason) =>
  [undefined, ...NoticeKind.options].flatMap((notice) =>
    [undefined, false, true].flatMap((deleteRequested) =>
      [false, true].map((hasRun) => ({ reason, notice, deleteRequested, hasRun })),
    ),
  ),
);

describe('VM status', () => {
  it('of a pending instance is PROVISIONING, or FAILED where its launch is stuck, whatever else is known (C18)', () => {
    for (const known of circumstances)
      expect(vmStatus('pending', known)).toBe(known.notice === 'stuck-launch' ? 'FAILED' : 'PROVISIONING');
  });

  it.each([
    ['running', 'RUNNING'],
    ['stopping', 'STOPPING'],
    ['stopped', 'STOPPED'],
    ['shutting-down', 'DELETING'],
  ] as const)('of a %s instance is %s, whatever else is known (C18)', (state, status) => {
    for (const known of circumstances) expect(vmStatus(state, known)).toBe(status);
  });

  it.each(harmless)('of an instance terminated by %s is DELETED (C18)', (code) => {
    for (const reason of asReasons(code)) expect(vmStatus('terminated', { reason })).toBe('DELETED');
  });

  it.each([
    { reason: { code: 'Server.SpotInstanceTermination' } },
    { reason: { message: 'Server.SpotInstanceShutdown: taken back' } },
    { notice: 'spot-interruption' as const },
  ])('of a spot instance that EC2 has taken back is what the operator wants: %j', (known) => {
    const ends = (more: object) => vmStatus('terminated', { ...known, hasRun: true, ...more });

    expect([ends({}), ends({ spotEndsAs: 'FAILED' }), ends({ spotEndsAs: 'DELETED' })]).toEqual([
      'FAILED',
      'FAILED',
      'DELETED',
    ]);
    expect(ends({ spotEndsAs: 'DELETED', hasRun: false })).toBe('FAILED');
  });

  it('of an instance whose host failed is FAILED, however spot instances are reported', () => {
    const reason = { code: 'Server.InternalError' };

    expect(vmStatus('terminated', { reason, hasRun: true, spotEndsAs: 'DELETED' })).toBe('FAILED');
  });

  it.each(failures)('of an instance terminated by %s is FAILED (C18, C22)', (code) => {
    for (const reason of asReasons(code)) expect(vmStatus('terminated', { reason })).toBe('FAILED');
  });

  it.each(unlisted)('of an instance that never ran and was terminated by %s is FAILED', (code) => {
    for (const reason of asReasons(code)) {
      expect(vmStatus('terminated', { reason })).toBe('FAILED');
      expect(vmStatus('terminated', { reason, hasRun: true })).toBe('DELETED');
    }
  });

  it.each(orderly)('is DELETED where EC2 says %s, whether or not it is known to have run', (code) => {
    for (const reason of asReasons(code))
      for (const hasRun of [false, true]) expect(vmStatus('terminated', { reason, hasRun })).toBe('DELETED');
  });

  it('is FAILED where the message of an instance that never ran has another code than a shutdown', () => {
    const reason = { code: 'Client.UserInitiatedShutdown', message: 'Client.InvalidKMSKey.InvalidState: …' };

    expect(vmStatus('terminated', { reason })).toBe('FAILED');
  });

  it('is DELETED where the reason is none of EC2’s codes', () => {
    const reason = { code: 'Vanished', message: 'EC2 does not know it any more' };

    expect(vmStatus('terminated', { reason })).toBe('DELETED');
  });

  it('is FAILED where code and message differ and one of them is a failure', () => {
    const sample = {
      code: 'Server.InternalError',
      message: 'Client.VolumeLimitExceeded: Volume limit exceeded',
    };
    const reverse = { code: 'Client.UserInitiatedShutdown', message: 'Client.InternalError: on launch' };

    expect(vmStatus('terminated', { reason: sample })).toBe('FAILED');
    expect(vmStatus('terminated', { reason: reverse })).toBe('FAILED');
  });

  it('is DELETED where a failure is only mentioned further on in the message', () => {
    const reason = { code: 'Client.UserInitiatedShutdown', message: 'User initiated: Server.InternalError' };

    expect(vmStatus('terminated', { reason })).toBe('DELETED');
  });

  it('of a terminated instance without a reason is DELETED', () => {
    for (const reason of [undefined, {}, { code: '', message: '' }]) {
      expect(vmStatus('terminated', { reason })).toBe('DELETED');
    }
    expect(vmStatus('terminated')).toBe('DELETED');
  });

  it('is FAILED after a spot interruption warning, reason or not', () => {
    for (const reason of [undefined, { code: 'Server.SpotInstanceTermination' }]) {
      expect(vmStatus('terminated', { reason, notice: 'spot-interruption' })).toBe('FAILED');
    }
  });

  it.each(orderly)('is DELETED where EC2 says %s, warning or not', (code) => {
    for (const notice of NoticeKind.options) {
      expect(vmStatus('terminated', { reason: { code }, notice })).toBe('DELETED');
    }
  });

  it('is not FAILED by a warning that does not announce the end', () => {
    for (const notice of NoticeKind.options.filter((kind) => kind !== 'spot-interruption')) {
      expect(vmStatus('terminated', { notice })).toBe('DELETED');
    }
  });

  it('is DELETED where DCM asked for the deletion, whatever EC2 says of it', () => {
    for (const known of circumstances) {
      expect(vmStatus('terminated', { ...known, deleteRequested: true })).toBe('DELETED');
    }
  });

  it('is never PENDING or PAUSED', () => {
    for (const state of InstanceState.options) {
      for (const known of circumstances) {
        expect(['PENDING', 'PAUSED']).not.toContain(vmStatus(state, known));
      }
    }
  });
});

describe('the reason of a termination', () => {
  it('is needed only for a terminated instance, and only where nothing else decides', () => {
    for (const state of InstanceState.options) {
      for (const known of circumstances) {
        const decided = known.reason !== undefined || known.deleteRequested === true;

        expect(needsReason(state, known)).toBe(state === 'terminated' && !decided);
      }
    }
  });
});
