import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Observation } from '../../../shared/core/message.ts';
import { instanceStateOf, vmStatus } from '../../../shared/service-types/vm/kind.ts';
import { acceptFault, randomFaults } from '../../fakes/faulty.ts';
import { lifetime } from '../../fixtures/lifetime.ts';
import { halfPastTen, observed } from '../../fixtures/resource-messages.ts';
import { idOf, minuteMs, polledRegion } from './region.ts';

const vms = [1, 2, 3, 4];

const scenario = fc.record({
  lives: fc.tuple(...vms.map((n) => lifetime(idOf(n)))),
  lossRate: fc.constantFrom(0, 0.1, 0.5, 1),
  /** So many of each VM's last events are lost in a row. */
  lostAtLast: fc.nat(3),
  /** How often the normaliser asks EC2 whether a transition is over, and how often that is lost. */
  looks: fc.nat(3),
  lookLossRate: fc.constantFrom(0, 0.5, 1),
  isThrottled: fc.boolean(),
  seed: fc.integer(),
  kind: fc.constantFrom('legacy' as const, 'streaming' as const),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer One> ? One : never;

/** A region whose VMs have led their lives, and of whose events some were lost, and all others came twice and mixed up. */
const livedIn = async ({ lives, lossRate, lostAtLast, seed, kind }: Scenario) => {
  const region = polledRegion(kind);
  const faults = randomFaults(seed, lossRate);
  for (const [index, life] of lives.entries()) {
    const launchedAtMs = region.clock.ms - 3 * minuteMs; // neither young nor ever stuck
    region.add(vms[index] ?? 0, { state: stateOf(life), launchedAtMs });
  }
  const left = lives.flatMap((life) => life.slice(0, Math.max(life.length - lostAtLast, 0)));
  await region.deliver(faults.shuffled(left.flatMap((event) => (faults.strikes() ? [] : [event, event]))));
  return region;
};

/** The normaliser asks EC2 itself whether transitions are over, as far as it comes to that. */
const look = async (
  region: Awaited<ReturnType<typeof livedIn>>,
  { looks, lookLossRate, isThrottled, seed }: Scenario,
) => {
  const faults = randomFaults(seed + 1, lookLossRate);
  region.instances.throttled = isThrottled;
  for (let turn = 0; turn < looks; turn++) await region.followUp(faults.strikes).catch(acceptFault);
  region.instances.throttled = false;
};

describe('healing by listings', () => {
  it('makes every published status equal to EC2 after a complete listing, whatever events were lost, repeated or reordered', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (lived) => {
        const region = await livedIn(lived);
        await look(region, lived);

        await region.listFor(5 * minuteMs);

        for (const [index, life] of lived.lives.entries()) {
          expect(region.statusesOf(vms[index] ?? 0).at(-1)).toBe(vmStatus(stateOf(life)));
        }
      }),
      { numRuns: 300 },
    );
  });

  it('heals several lost events in a row, with the check of the transition lost too', async () => {
    const { region } = await stopping();
    region.change(1, { state: 'running' }); // stopped, pending and running were lost
    await region.followUp(() => true);
    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING']);

    await region.listFor(5 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'RUNNING']);
  });

  it('publishes nothing more when the check of the transition was processed', async () => {
    const { region } = await stopping();
    await region.followUp();
    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);

    await region.listFor(5 * minuteMs);

    expect(region.statusesOf(1)).toEqual(['RUNNING', 'STOPPING', 'STOPPED']);
  });
});

/** A VM that was told to be stopping two minutes ago, and has stopped. */
const stopping = async () => {
  const region = polledRegion('streaming');
  region.clock.ms = halfPastTen * 1000 + 2 * minuteMs;
  const instanceId = region.add(1, { state: 'stopped', launchedAtMs: region.clock.ms - 5 * minuteMs });
  await region.deliver([
    observed('running', 1, { resourceId: instanceId }),
    observed('stopping', 2, { resourceId: instanceId }),
  ]);
  return { region };
};

const stateOf = (life: readonly Observation[]) => instanceStateOf(life.at(-1)?.state ?? 'pending').state;
