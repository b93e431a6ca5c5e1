import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { takeStep } from '../../../functions/cluster-steps/take-step.ts';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { workersGroup } from '../../../shared/service-types/cluster/launch.ts';
import { servedClusters } from '../../../shared/service-types/cluster/served.ts';
import { acceptFault, faulty, invocation, randomFaults } from '../../fakes/faulty.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { identity } from '../../fixtures/resource-messages.ts';
import { asked, clusterWorld, dcmId, lifecycle, resourceId } from './world.ts';

const rounds = fc.array(
  fc.array(
    fc.constantFrom(
      ...(['list', 'take steps', 'deliver', 'progress'] as const),
      ...(['update', 'degrade', 'recover', 'remove the workers'] as const),
    ),
    { minLength: 1, maxLength: 5 },
  ),
  { maxLength: 6 },
);

const scenario = fc.record({
  hasWorkers: fc.boolean(),
  ending: fc.constantFrom('lives', 'is deleted', 'vanishes'),
  /** What happens before its end begins, and meanwhile. */
  before: rounds,
  meanwhile: rounds,
  seed: fc.integer(),
  faultRate: fc.constantFrom(0, 0.1, 0.3),
  crashRate: fc.constantFrom(0, 0.05),
  /** Of all queued messages. */
  lossRate: fc.constantFrom(0, 0.3, 1),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer Given> ? Given : never;

const roundMs = 30_000;
/** Longer than any interval of listings. */
const calmMs = 310_000;
const issue = { code: 'AsgInstanceLaunchFailures', message: 'there is no capacity', resourceIds: [] };

describe('the life of a cluster', () => {
  it('ends in the truth, in order and without a repeat, whatever listing, check or step is lost, doubled or crashes', async () => {
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        const { published, outbox, truth } = await run(given);
        const statuses = published.map(({ data }) => Object(data).status);

        expect(published.at(-1)?.data).toMatchObject({
          status: truth.status,
          message: expect.stringContaining(truth.reason),
        });
        const sequences = published.map(({ sequence }) => String(sequence));
        expect(sequences).toEqual([...new Set(sequences)].sort());
        expect(outbox).toEqual([]);
        const deletion = statuses.filter((_, place) => place >= statuses.indexOf('DELETING'));
        if (statuses.includes('DELETING')) expect([...new Set(deletion)]).toEqual(['DELETING', 'DELETED']);
      }),
      { numRuns: 100 },
    );
  });
});

const givenUp = fc.record({
  hasWorkers: fc.boolean(),
  /** How long EKS has been asked for the cluster when DCM deletes it: within the creation's lease, or after it. */
  askedForMs: fc.constantFrom(1_000, 12_000),
  /** Whether EKS can finish the creation before the cluster is listed. */
  isListedLate: fc.boolean(),
  meanwhile: rounds,
  seed: fc.integer(),
  faultRate: fc.constantFrom(0, 0.1, 0.3),
  crashRate: fc.constantFrom(0, 0.05),
  lossRate: fc.constantFrom(0, 1),
});

describe('a cluster that DCM deletes while EKS is asked to create it', () => {
  it('is deleted once EKS shows it, although the request that created it died before it queued a step', async () => {
    const ends: boolean[] = [];
    await fc.assert(
      fc.asyncProperty(givenUp, async ({ askedForMs, isListedLate, meanwhile, ...given }) => {
        const life = clusterLife(given);
        await life.createGivenUp(askedForMs);
        const isDeleted = await life.isDeletionRecorded();
        if (isListedLate) life.progress();

        await life.live(meanwhile);
        await life.calmDown(8);

        const { published } = await life.outcome();
        const statuses = published.map(({ data }) => Object(data).status);
        expect(life.living()).toEqual(isDeleted ? [] : [dcmId]);
        if (isDeleted) expect([...new Set(statuses)]).toEqual(['DELETING', 'DELETED']);
        ends.push(isDeleted);
      }),
      { numRuns: 100 },
    );
    expect(ends).toContain(true);
  });
});

const removed = fc.record({
  hasWorkers: fc.boolean(),
  /** How often it was listed before it is removed; never, where it does not live as long as one interval. */
  listings: fc.integer({ min: 0, max: 2 }),
  stepsBefore: fc.integer({ min: 0, max: 2 }),
  seed: fc.integer(),
  faultRate: fc.constantFrom(0, 0.1, 0.3),
  crashRate: fc.constantFrom(0, 0.05),
});

describe('a cluster that others remove while EKS creates it', () => {
  it('is DELETED after ten minutes, whether a listing has ever shown it or not', async () => {
    await fc.assert(
      fc.asyncProperty(removed, async ({ listings, stepsBefore, ...given }) => {
        const life = clusterLife({ ...given, lossRate: 0 });
        await life.create();
        await life.live([
          Array.from({ length: listings }, () => 'list' as const),
          Array.from({ length: stepsBefore }, () => 'take steps' as const),
          ['deliver'],
        ]);

        life.vanish();
        const atMs = life.now();
        await life.calmDown(8);

        const { published } = await life.outcome();
        const statuses = published.map(({ data }) => Object(data).status);
        expect([...new Set(statuses)]).toEqual(['PROGRESSING', 'DELETED']);
        expect(published.at(-1)?.data).toMatchObject({
          message: expect.stringContaining('EKS does not know it any more'),
        });
        const minutes = (Date.parse(String(published.at(-1)?.time)) - atMs) / 60_000;
        expect([minutes >= 9.5, minutes <= 20]).toEqual([true, true]);
      }),
      { numRuns: 100 },
    );
  });
});

/** A cluster's life with faults, then an hour without any. */
const run = async ({ ending, before, meanwhile, ...given }: Scenario) => {
  const life = clusterLife(given);
  await life.create();
  await life.live(before);
  await life.calmDown(1); // the end of a cluster that no listing has shown is found by checks alone, and here they can be lost
  if (ending === 'is deleted') await life.delete();
  if (ending === 'vanishes') life.vanish();
  await life.live(meanwhile);
  await life.calmDown(8);
  return life.outcome();
};

/** EKS, the API, cluster-steps, the poller and the normaliser, each of whose invocations can fail or crash. */
const clusterLife = ({
  hasWorkers,
  seed,
  ...rates
}: Pick<Scenario, 'hasWorkers' | 'seed' | 'faultRate' | 'crashRate' | 'lossRate'>) => {
  const world = clusterWorld({ hasWorkers });
  const { clock, eks, events, queue, parts } = world;
  const now = () => clock.ms;
  const telemetry = { now, meter: countingMeter(), log: memoryLog() };
  const listings = memoryListings(now);
  const stream = memoryEventStream();
  const chance = randomFaults(seed, 0.3);
  const none = randomFaults(0, 0);
  const faults = randomFaults(seed + 1, rates.faultRate);
  const crashes = randomFaults(seed + 2, rates.crashRate);
  const losses = randomFaults(seed + 3, rates.lossRate);
  let isCalm = false;

  /** A port as one invocation has it. */
  const invoked = () => {
    const until = invocation(isCalm ? none : crashes);
    return <Port extends Readonly<Record<string, (...args: never[]) => Promise<unknown>>>>(port: Port) =>
      until(faulty(port, isCalm ? none : faults));
  };
  /** Takes what is queued: some messages are lost, some come twice, some again later, and not in their order. */
  const take = <Message>(messages: Message[]): Message[] => {
    const taken = messages.splice(0);
    if (isCalm) return taken;
    const left = taken.filter(() => !losses.strikes());
    messages.push(...left.filter(() => chance.strikes()));
    return chance.shuffled(left.flatMap((one) => (chance.strikes() ? [one, one] : [one])));
  };

  const list = async () => {
    const port = invoked();
    const poll = pollTarget({
      ...{ ...identity, ...telemetry, floorSeconds: 10, random: () => 0 },
      types: [{ ...servedClusters(port(parts.clusters)), steps: port(parts.steps) }],
      resourceStore: port(parts.resourceStore),
      observations: port(parts.observations),
      listings: port(listings),
    });
    await poll({ target: { region: 'us-east-1', serviceType: 'cluster' }, mode: 'legacy' }).catch(
      acceptFault,
    );
  };

  const takeSteps = async () => {
    for (const { request, afterSeconds } of take(queue)) {
      const port = invoked();
      const take = takeStep({
        ...parts,
        records: port(parts.records),
        resourceStore: port(parts.resourceStore),
        clusters: port(parts.clusters),
        actions: port(parts.actions),
        observations: port(parts.observations),
        steps: port(parts.steps),
      });
      await take(request).catch((error: unknown) => {
        acceptFault(error);
        queue.push({ request, afterSeconds });
      });
    }
  };

  const read = readMessage({ ...identity, ...telemetry, regions: ['us-east-1'] });
  const deliver = async () => {
    const batch = take(events).map((event, place) => ({ event, messageId: String(place) }));
    if (batch.length === 0) return;
    const port = invoked();
    const handle = reportStatus({
      ...{ ...identity, ...telemetry, randomPart, burst: 9 },
      types: [servedClusters(port(parts.clusters), parts.records)],
      resourceStore: port(parts.resourceStore),
      publisher: publishEvents({
        ...port({ ready: stream.ready, append: stream.append }),
        abandon: stream.abandon,
      }),
      observations: port(parts.observations),
      listings: { requestRepublication: async () => undefined },
      retries: { deadLetter: async () => undefined },
    });
    const messages = batch.map(({ event, messageId }) => ({
      ...{ messageId, isRetry: true, resourceMessages: read(JSON.stringify(event)) },
    }));
    const failures = await handle(messages).catch((error: unknown) => {
      acceptFault(error);
      return new Map(batch.map(({ messageId }) => [messageId, error]));
    });
    events.push(...batch.flatMap(({ event, messageId }) => (failures.has(messageId) ? [event] : [])));
  };

  const become = (from: string, to: string) => {
    const held = eks.clusters.get(dcmId);
    if (held?.status === from) held.status = to;
  };
  const changeWorkers = (from: string, to: string, issues: readonly (typeof issue)[]) => {
    const groups = eks.clusters.get(dcmId)?.groups;
    if (groups?.get(workersGroup)?.status === from)
      groups.set(workersGroup, { name: workersGroup, status: to, issues });
  };
  const progress = () => {
    eks.progress();
    become('UPDATING', 'ACTIVE');
  };
  const doing = {
    list,
    'take steps': takeSteps,
    deliver,
    progress,
    update: () => become('ACTIVE', 'UPDATING'),
    degrade: () => changeWorkers('ACTIVE', 'DEGRADED', [issue]),
    recover: () => changeWorkers('DEGRADED', 'ACTIVE', []),
    'remove the workers': () => void eks.clusters.get(dcmId)?.groups.delete(workersGroup),
  };

  /** DCM's request to delete it. */
  const requestDeletion = async () => {
    const port = invoked();
    const { records, resourceStore, observations, steps } = parts;
    const failing = {
      ...{ records: port(records), resourceStore: port(resourceStore) },
      ...{ observations: port(observations), steps: port(steps) },
    };
    await lifecycle({ ...parts, ...failing })
      .delete(dcmId, 'request-2')
      .catch(acceptFault);
  };

  return {
    create: () => lifecycle(parts).create(asked),
    /** EKS takes so long that DCM deletes the id meanwhile; then it creates the cluster, and the request that asked for it dies. */
    async createGivenUp(askedForMs: number) {
      const actions = {
        ...parts.actions,
        async create(...plan: Parameters<typeof parts.actions.create>) {
          clock.ms += askedForMs;
          await requestDeletion();
          await parts.actions.create(...plan);
          throw new UnavailableError('nobody hears the answer');
        },
      };
      await lifecycle({ ...parts, actions })
        .create(asked)
        .catch(acceptFault);
    },
    isDeletionRecorded: async () => (await parts.records.creation(dcmId)).deletedAtMs !== undefined,
    living: () => [...eks.clusters.keys()],
    now,
    progress,
    async live(all: Scenario['before']) {
      for (const round of all) {
        for (const action of round) await doing[action]();
        clock.ms += roundMs;
      }
    },
    /** Repeated until it is answered. */
    async delete() {
      for (let attempt = 0; attempt < 3; attempt++) await requestDeletion();
      await lifecycle(parts).delete(dcmId, 'request-2');
    },
    vanish: () => void eks.clusters.delete(dcmId),
    async calmDown(times: number) {
      isCalm = true;
      for (let round = 0; round < times; round++) {
        clock.ms += calmMs;
        progress();
        await takeSteps();
        await list();
        await deliver();
      }
      isCalm = false;
    },
    async outcome() {
      const held = (await parts.resourceStore.read([resourceId])).get(resourceId);
      const seen = (await eks.views.describe({ region: 'us-east-1' }, [resourceId], 0)).get(resourceId);
      const state = seen === undefined ? 'DELETED' : seen.state;
      const recorded = clusterKind.recordedState?.(state, { deleteRequested: false, hasRun: true });
      return {
        published: stream.stored,
        outbox: held?.owner === 'ours' ? held.vm.outbox : undefined,
        truth: { status: clusterKind.statusOf(recorded ?? ''), reason: seen?.reason?.message ?? '' },
      };
    },
  };
};
