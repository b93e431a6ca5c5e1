import { describe, expect, it, vi } from 'vitest';
import { reportRefusals } from '../../../functions/provider-api/report-refusals.ts';
import {
  CapacityError,
  FailedPreconditionError,
  InvalidArgumentError,
  UnavailableError,
} from '../../../shared/core/errors.ts';
import type { Kind } from '../../../shared/core/kind.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { type CreateRefused, createRefusedIn } from '../../../shared/wire/create-refused.ts';
import { memoryLog } from '../../fakes/silent.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';

const about = { dcmId: 'vm-1', region: 'us-east-1', requestId: 'request-1' };

const reporter = (more: Partial<Observations> = {}, kind: Pick<Kind, 'serviceType'> = vmKind) => {
  const queued: (Partial<CreateRefused> & { afterSeconds: number })[] = [];
  const observations: Observations = {
    async send(events, afterSeconds = 0) {
      queued.push(...events.map((event) => ({ ...createRefusedIn(JSON.stringify(event)), afterSeconds })));
    },
    ...more,
  };
  const log = memoryLog();
  const report = reportRefusals({
    ...{ type: { format: { kind } }, observations, now: () => halfPastTen * 1000, log },
  });
  const refuse = (error: Error) => report(about, () => Promise.reject(error));
  return { queued, log, report, refuse };
};

describe('provider-api, a create that is refused', () => {
  it('has FAILED published at once where no retry helps', async () => {
    const { queued, refuse } = reporter();

    await expect(refuse(new InvalidArgumentError('vcpu.count: expected a number'))).rejects.toThrow(
      InvalidArgumentError,
    );

    expect(queued).toEqual([
      {
        kind: 'create-refused',
        serviceType: 'vm',
        ...about,
        refusedAtMs: halfPastTen * 1000,
        retryable: false,
        reason: 'vcpu.count: expected a number',
        afterSeconds: 0,
      },
    ]);
  });

  it('is reported with its service type', async () => {
    const { queued, refuse } = reporter({}, { serviceType: 'cluster' });

    await expect(refuse(new InvalidArgumentError('version: expected 1.33'))).rejects.toThrow();

    expect(queued).toMatchObject([{ dcmId: 'vm-1', serviceType: 'cluster' }]);
  });

  it.each([new CapacityError('no room'), new UnavailableError('EC2 is away'), new Error('a bug')])(
    'has it checked three minutes later where the agent may retry: %s',
    async (error) => {
      const { queued, refuse } = reporter();

      await expect(refuse(error)).rejects.toThrow(error);

      expect(queued).toMatchObject([{ retryable: true, afterSeconds: 180 }]);
      expect(JSON.stringify(queued)).not.toContain('a bug');
    },
  );

  it('queues nothing where the id is being deleted', async () => {
    const { queued, refuse } = reporter();

    await expect(refuse(new FailedPreconditionError('vm-1 is being deleted'))).rejects.toThrow();

    expect(queued).toEqual([]);
  });

  it('queues nothing for a create that is not refused', async () => {
    const { queued, report } = reporter();

    expect(await report(about, async () => 'a VM')).toBe('a VM');
    expect(queued).toEqual([]);
  });

  it('is not final for the caller while it cannot be queued', async () => {
    const send = () => Promise.reject(new UnavailableError('no queue'));
    const { refuse } = reporter({ send });

    await expect(refuse(new InvalidArgumentError('no'))).rejects.toThrow(UnavailableError);
    await expect(refuse(new CapacityError('no room'))).rejects.toThrow(CapacityError);
  });

  it('answers the caller although the queue does not answer (C 63)', async () => {
    vi.useFakeTimers();
    const { refuse, log } = reporter({ send: () => new Promise(() => {}) });

    const refused = expect(refuse(new CapacityError('no room'))).rejects.toThrow(CapacityError);
    await vi.advanceTimersByTimeAsync(1_500);

    await refused;
    expect(log.lines).toEqual(['warn: a refused create was not queued, so FAILED is not published']);
    vi.useRealTimers();
  });
});
