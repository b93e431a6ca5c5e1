import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { asked, dcmId, type ProviderParts, provider } from './provider.ts';

const never = () => new Promise<never>(() => {});

/** Less than DCM ever waits. */
const tenSecondsMs = 10_000;
const stepMs = 250;

/** What a creation has come to after ten seconds, by the clock of timers and that of the use cases alike; nothing, if to nothing. */
const afterTenSeconds = async (creation: Promise<unknown>, clock: { ms: number }): Promise<unknown[]> => {
  const outcomes: unknown[] = [];
  const keep = (outcome: unknown) => void outcomes.push(outcome);
  void creation.then(keep, keep);
  for (let passed = 0; passed < tenSecondsMs; passed += stepMs) {
    clock.ms += stepMs;
    await vi.advanceTimersByTimeAsync(stepMs);
  }
  return outcomes;
};

describe('creating a VM while a service does not answer', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each<[string, (parts: ProviderParts) => Partial<ProviderParts>]>([
    ['planning', () => ({ plan: never })],
    ['EC2', ({ actions }) => ({ actions: { ...actions, run: never } })],
  ])('answers within ten seconds that a retry helps where it is %s (C2 21)', async (_, change) => {
    const { create, clock } = provider(change);

    expect(await afterTenSeconds(create(asked), clock)).toEqual([expect.any(UnavailableError)]);
  });

  it('answers the VM within ten seconds where it is the queue and the resource store (C2 21)', async () => {
    const { create, clock } = provider(({ resourceStore }) => ({
      observations: { send: never },
      resourceStore: { ...resourceStore, claim: never },
    }));

    expect(await afterTenSeconds(create(asked), clock)).toMatchObject([{ id: dcmId }]);
  });

  it('launches no second instance for a retry (C2 21)', async () => {
    let answers = false;
    const { create, clock, ec2 } = provider(({ actions }) => ({
      actions: {
        ...actions,
        run: async (...plan) => {
          const launched = await actions.run(...plan);
          return answers ? launched : never();
        },
      },
    }));
    const first = await afterTenSeconds(create(asked), clock);
    answers = true;

    const second = await afterTenSeconds(create(asked), clock);

    expect(first).toEqual([expect.any(UnavailableError)]);
    expect(second).toMatchObject([{ id: dcmId, instance_id: 'i-00000000000000001' }]);
    expect(ec2.instances.size).toBe(1);
  });
});
