import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readVms, vmLifecycle } from '../../../functions/provider-api/service-types/vm.ts';
import { acceptFault, type Faults, faulty, invocation, randomFaults } from '../../fakes/faulty.ts';
import { asked, completionTurn, dcmId, type ProviderParts, providerParts } from './provider.ts';

const region = 'us-east-1';
/** Longer than any creation has the VM to itself. */
const roundMs = 20_000;

const scenario = fc.record({
  seed: fc.integer(),
  /** What is asked for at once, round after round. */
  rounds: fc.array(fc.array(fc.constantFrom('create', 'create', 'delete'), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 4,
  }),
  faultRate: fc.constantFrom(0, 0.05, 0.2),
  crashRate: fc.constantFrom(0, 0.05, 0.2),
  fullRate: fc.constantFrom(0, 0.5),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Given> ? Given : never;

describe('creating and deleting a VM, with any crashes and lost answers (C 32)', () => {
  it('ends in one instance, which is the VM, once the create is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { parts, ec2 } = await lived({
          ...given,
          rounds: given.rounds.map((round) => round.map(() => 'create')),
        });

        const answer = await eventually(() => vmLifecycle(parts).create(asked), parts);

        expect(ec2.living().map(({ resourceId: instanceId }) => instanceId)).toEqual([answer.instance_id]);
        expect(await readVms(parts).get(dcmId)).toMatchObject({ instance_id: answer.instance_id });
        const held = await parts.resourceStore.read([String(answer.instance_id)]);
        expect([...held.values()]).toMatchObject([{ owner: 'ours', vm: { dcmId } }]);
      }),
      { numRuns: 400 },
    );
  });

  it('ends in no instance once the delete is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { parts, ec2 } = await lived(given);

        await vmLifecycle(parts).delete(dcmId, 'r-1');

        expect(ec2.living()).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });

  it('ends in no instance where a deletion is recorded, without another delete, though turns of completing it crash', async () => {
    const seen = { recorded: 0 };
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { parts, ec2, clock } = await lived(given);
        const record = await parts.records.read(dcmId);
        if (record?.deleteRequestedAtMs === undefined || record.endedAtMs !== undefined) return;
        seen.recorded += ec2.living().length;
        for (const offset of [2, 3]) {
          clock.ms += 120_000;
          const seed = given.seed + offset;
          await completionTurn(
            mortal(parts, randomFaults(seed, given.faultRate), randomFaults(seed, given.crashRate)),
          );
        }
        clock.ms += 120_000;

        await completionTurn(parts);

        expect(ec2.living()).toEqual([]);
      }),
      { numRuns: 400 },
    );
    expect(seen.recorded).toBeGreaterThan(0);
  });

  it('leaves at most one instance, which the normaliser adopts as the VM, if nothing is repeated', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { parts, ec2 } = await lived(given);
        const living = ec2.living();

        for (const { resourceId: instanceId, account, launchedAtMs } of living)
          await parts.records.adopt({
            dcmId,
            region,
            resourceId: instanceId,
            account,
            facts: { launchedAtMs },
          });

        expect(living.length).toBeLessThanOrEqual(1);
        for (const { resourceId: instanceId } of living)
          expect(await readVms(parts).get(dcmId)).toMatchObject({ instance_id: instanceId });
      }),
      { numRuns: 400 },
    );
  });
});

/** The world after all that was asked for has been answered, or has crashed. */
const lived = async ({ seed, rounds, faultRate, crashRate, fullRate }: Scenario) => {
  const world = providerParts();
  const faults = randomFaults(seed, faultRate);
  const crashes = randomFaults(seed + 1, crashRate);
  const capacity = randomFaults(seed + 2, fullRate);
  world.ec2.isFull = () => capacity.strikes();
  for (const round of rounds) {
    await Promise.all(
      round.map((request) => {
        const parts = mortal(world.parts, faults, crashes);
        const done: Promise<unknown> =
          request === 'create' ? vmLifecycle(parts).create(asked) : vmLifecycle(parts).delete(dcmId, 'r-1');
        return done.catch(acceptFault);
      }),
    );
    world.clock.ms += roundMs;
    for (const [id, { state }] of world.ec2.instances)
      if (state === 'shutting-down') await world.parts.records.end(dcmId, id);
  }
  world.ec2.isFull = () => false;
  return world;
};

const eventually = async <Answer>(ask: () => Promise<Answer>, { pause }: ProviderParts): Promise<Answer> => {
  for (let tries = 0; tries < 5; tries++) {
    const answer = await ask().catch(acceptFault);
    if (answer !== undefined) return answer;
    await pause(roundMs);
  }
  return ask();
};

/**
 * One invocation's view of the world: calls that fail or lose their answer, and at some point, perhaps, the end of the invocation, after
 * which nothing it does has any effect. Its waiting takes no time of the others': a creation is never overtaken while it is worked at.
 */
const mortal = (parts: ProviderParts, faults: Faults, crashes: Faults): ProviderParts => {
  const until = invocation(crashes);
  let waitedMs = 0;
  return {
    ...parts,
    records: until(faulty(parts.records, faults)),
    resourceStore: until(faulty(parts.resourceStore, faults)),
    actions: until(faulty(parts.actions, faults)),
    instances: until(faulty(parts.instances, faults)),
    observations: until(faulty(parts.observations, faults)),
    now: () => parts.now() + waitedMs,
    async pause(ms) {
      waitedMs += ms;
      await turn();
    },
  };
};
