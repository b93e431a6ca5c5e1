import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../shared/domain/signal.ts';
import { vmStatus } from '../../../shared/domain/vm-status.ts';
import { randomFaults } from '../../fakes/faulty.ts';
import { lifetime } from '../../fixtures/lifetime.ts';
import { idOf, minuteMs, polledRegion } from './region.ts';

const vms = [1, 2, 3, 4];

const scenario = fc.record({
  lives: fc.tuple(...vms.map((n) => lifetime(idOf(n)))),
  lossRate: fc.constantFrom(0, 0.1, 0.5, 1),
  seed: fc.integer(),
  kind: fc.constantFrom('legacy' as const, 'streaming' as const),
});

describe('re-list', () => {
  it('makes every row equal EC2, whatever events were lost, doubled or mixed up', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async ({ lives, lossRate, seed, kind }) => {
        const region = polledRegion(kind);
        const faults = randomFaults(seed, lossRate);
        for (const [index, life] of lives.entries()) {
          const launchedAtMs = region.clock.ms - 3 * minuteMs; // neither young nor ever stuck
          region.add(vms[index] ?? 0, { state: stateOf(life), launchedAtMs });
        }
        const events = lives.flat().flatMap((event) => (faults.strikes() ? [] : [event, event]));
        await region.deliver(faults.shuffled(events));

        await region.listFor(10 * minuteMs);

        for (const [index, life] of lives.entries()) {
          expect(region.statusesOf(vms[index] ?? 0).at(-1)).toBe(vmStatus(stateOf(life)));
        }
      }),
      { numRuns: 300 },
    );
  });
});

const stateOf = (life: readonly Observation[]) => life.at(-1)?.state ?? 'pending';
