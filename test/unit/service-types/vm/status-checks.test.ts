import { describe, expect, it } from 'vitest';
import { sequenceOf } from '../../../../shared/core/gate.ts';
import type { Notice } from '../../../../shared/core/message.ts';
import { isNewNotice, type Resource } from '../../../../shared/core/resource.ts';
import { type InstanceState, vmKind } from '../../../../shared/service-types/vm/kind.ts';
import { nextCheck, statusChecksOf } from '../../../../shared/service-types/vm/status-checks.ts';
import {
  dcmId,
  halfPastTen,
  observed,
  resourceId,
  spotWarning,
} from '../../../fixtures/resource-messages.ts';
import { noticeStatus } from '../../../fixtures/statuses.ts';

const held = (state: InstanceState, notice?: Notice): Resource & { readonly state: InstanceState } => ({
  ...{ kind: vmKind, resourceId, dcmId, region: 'us-east-1', account: '123456789012', state },
  ...(notice && { notices: { [notice.notice]: notice } }),
  ...{ sequence: sequenceOf(vmKind, observed(state)), outbox: [], history: [] },
});
const warned = (notice: Notice['notice'], seconds: number, text = ''): Notice => ({
  ...spotWarning(),
  ...{ notice, text, at: halfPastTen + seconds },
});

describe('status checks', () => {
  it('are asked about in turns, once a minute', () => {
    const never = statusChecksOf(undefined);
    const asked = { ...never, askedAtMs: 1_000_000 };

    expect(nextCheck(asked, 1_059_999)).toBeUndefined();
    expect(nextCheck(asked, 1_060_000)).toBe('instance');
    expect(nextCheck({ ...asked, asked: 'instance' }, 1_060_000)).toBe('system');
    expect(nextCheck({ ...asked, asked: 'system' }, 1_060_000)).toBe('attached-ebs');
    expect(nextCheck(never, 1_000_000)).toBe('instance');
  });
});

describe('a VM that fails one', () => {
  const impaired = warned('impaired', 60, 'impaired: its system status check fails');

  it('is RUNNING, with the warning in its message', () => {
    expect(noticeStatus(held('running'), impaired)).toMatchObject({
      status: 'RUNNING',
      message: `instance ${resourceId} is running: impaired: its system status check fails`,
      at: halfPastTen + 60,
    });
  });

  it('is RUNNING without a word of it once it has recovered', () => {
    const recovered = warned('recovered', 120);

    expect(isNewNotice(held('running', impaired), recovered)).toBe(true);
    expect(noticeStatus(held('running', impaired), recovered)).toMatchObject({
      status: 'RUNNING',
      message: `instance ${resourceId} is running`,
    });
  });

  it.each([
    ['is warned of once', held('running', impaired), impaired, false],
    ['is warned of again after a recovery', held('running', warned('recovered', 30)), impaired, true],
    ['is not warned of unless it runs', held('stopping'), impaired, false],
    ['has not recovered where nobody warned', held('running'), warned('recovered', 120), false],
    ['has not recovered unless it runs', held('stopping', impaired), warned('recovered', 120), false],
    ['is taken back all the same', held('running', impaired), warned('spot-interruption', 120), true],
    ['is warned of also when EC2 will interrupt it', held('running', spotWarning()), impaired, true],
  ])('%s', (_, vm, notice, isNewerObservation) => {
    expect(isNewNotice(vm, notice)).toBe(isNewerObservation);
  });
});
