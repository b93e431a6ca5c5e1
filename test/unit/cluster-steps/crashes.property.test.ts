import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeStep } from '../../../functions/cluster-steps/take-step.ts';
import { acceptFault, type Faults, faulty, invocation, randomFaults } from '../../fakes/faulty.ts';
import {
  admin,
  asked,
  type ClusterWorld,
  clusterWorld,
  dcmId,
  lifecycle,
  untilAtRest,
  type WorldParts,
} from './world.ts';

/** Longer than any creation has the cluster to itself. */
const roundMs = 20_000;

const scenario = fc.record({
  seed: fc.integer(),
  hasWorkers: fc.boolean(),
  /** What happens at once, round after round. */
  rounds: fc.array(fc.array(fc.constantFrom('create', 'step', 'delete'), { minLength: 1, maxLength: 4 }), {
    minLength: 1,
    maxLength: 6,
  }),
  faultRate: fc.constantFrom(0, 0.05, 0.2),
  crashRate: fc.constantFrom(0, 0.05, 0.2),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Given> ? Given : never;

describe('creating and deleting a cluster, with any crashes and lost answers', () => {
  it('ends in one complete cluster once the create is repeated (CC 39)', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const withoutDeletes = given.rounds.map((round) =>
          round.map((request) => (request === 'delete' ? 'create' : request)),
        );
        const world = await lived({ ...given, rounds: withoutDeletes });

        const answer = await eventually(() => lifecycle(world.parts).create(asked), world);
        await untilAtRest(world);

        const living = [...world.eks.clusters];
        expect(living.map(([name]) => name)).toEqual([answer.cluster_name]);
        const [, cluster] = living[0] ?? [];
        expect([...(cluster?.administrators ?? [])]).toEqual([admin]);
        expect([...(cluster?.groups.values() ?? [])]).toMatchObject(
          given.hasWorkers ? [{ name: 'workers', status: 'ACTIVE' }] : [],
        );
      }),
      { numRuns: 200 },
    );
  });

  it('goes on with a deletion after the worker that began it died, and ends in no cluster (CC 33)', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const world = await lived(given);

        await eventually(() => lifecycle(world.parts).delete(dcmId, 'request-2'), world);
        await untilAtRest(world);

        expect([...world.eks.clusters.keys()]).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});

const lateScenario = fc.record({
  seed: fc.integer(),
  /** What is asked for while EKS takes long to answer the first create. */
  meanwhile: fc.array(fc.constantFrom('create', 'delete'), { minLength: 1, maxLength: 4 }),
  crashRate: fc.constantFrom(0, 0.02, 0.1),
});

describe('a cluster that EKS creates long after it was asked', () => {
  it('becomes the one of its id or is deleted, whatever crashes: one is left, or none', async () => {
    const seen = { late: 0 };
    await fc.assert(
      fc.asyncProperty(lateScenario, async (given) => {
        const world = await livedLate(given);
        seen.late += world.eks.clusters.size > 1 ? 1 : 0;

        for (let round = 0; round < 12; round++) await listOnce(world);

        const record = await world.parts.records.read(dcmId);
        const living = [...world.eks.clusters.keys()].map((name) => `eks/us-east-1/${name}`);
        expect(living.filter((id) => id !== record?.resourceId)).toEqual([]);
      }),
      { numRuns: 200 },
    );
    expect(seen.late).toBeGreaterThan(0);
  });
});

const livedLate = async ({
  seed,
  meanwhile,
  crashRate,
}: typeof lateScenario extends fc.Arbitrary<infer Given> ? Given : never) => {
  const world = clusterWorld();
  const crashes = randomFaults(seed, crashRate);
  const mortalParts = () => mortal(world.parts, randomFaults(seed, 0), crashes);
  const asking = mortalParts();
  const actions = {
    ...asking.actions,
    async create(...plan: Parameters<typeof asking.actions.create>) {
      for (const request of meanwhile) {
        world.clock.ms += roundMs;
        const other = lifecycle(mortalParts());
        const done: Promise<unknown> =
          request === 'create' ? other.create(asked) : other.delete(dcmId, 'request-2');
        await done.catch(acceptFault);
      }
      return asking.actions.create(...plan);
    },
  };
  await lifecycle({ ...asking, actions })
    .create(asked)
    .catch(acceptFault);
  return world;
};

/** What a listing leads to: the record names a cluster that no other one is named for, and steps are taken. */
const listOnce = async ({ parts, eks, clock, queue }: ClusterWorld): Promise<void> => {
  for (const [name, { createdAtMs }] of [...eks.clusters]) {
    const resourceId = `eks/us-east-1/${name}`;
    const place = { dcmId, region: 'us-east-1', resourceId, account: '123456789012' };
    const facts = { launchedAtMs: createdAtMs };
    const adoption = await parts.records.adopt({ ...place, facts, adopted: false });
    const isAnother = adoption === 'another';
    await takeStep(parts)({ dcmId, continues: false, ...(isAnother && { resourceId }) });
  }
  for (const { request } of queue.splice(0)) await takeStep(parts)({ ...request, continues: false });
  eks.progress();
  clock.ms += 30_000;
};

/** The world after all that was asked for has been answered, or has crashed. */
const lived = async ({ seed, rounds, hasWorkers, faultRate, crashRate }: Scenario): Promise<ClusterWorld> => {
  const world = clusterWorld({ hasWorkers });
  const faults = randomFaults(seed, faultRate);
  const crashes = randomFaults(seed + 1, crashRate);
  for (const round of rounds) {
    await Promise.all(
      round.map((request) => {
        const parts = mortal(world.parts, faults, crashes);
        const done: Promise<unknown> =
          request === 'create'
            ? lifecycle(parts).create(asked)
            : request === 'delete'
              ? lifecycle(parts).delete(dcmId, 'request-2')
              : takeStep(parts)({ dcmId, continues: true });
        return done.catch(acceptFault);
      }),
    );
    world.clock.ms += roundMs;
    world.eks.progress();
  }
  return world;
};

const eventually = async <Answer>(ask: () => Promise<Answer>, world: ClusterWorld): Promise<Answer> => {
  for (let tries = 0; tries < 5; tries++) {
    const answer = await ask().catch(acceptFault);
    if (answer !== undefined) return answer;
    await world.parts.pause(roundMs);
  }
  return ask();
};

/** One invocation's view of the world: calls that fail or lose their answer, and perhaps the end of the invocation. */
const mortal = (parts: WorldParts, faults: Faults, crashes: Faults): WorldParts => {
  const until = invocation(crashes);
  let waitedMs = 0;
  return {
    ...parts,
    records: until(faulty(parts.records, faults)),
    resourceStore: until(faulty(parts.resourceStore, faults)),
    clusters: until(faulty(parts.clusters, faults)),
    actions: until(faulty(parts.actions, faults)),
    observations: until(faulty(parts.observations, faults)),
    steps: until(faulty(parts.steps, faults)),
    now: () => parts.now() + waitedMs,
    async pause(ms) {
      waitedMs += ms;
      await turn();
    },
  };
};
