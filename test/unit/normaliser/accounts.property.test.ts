import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { readRefusals, reportRefusals } from '../../../functions/normaliser/refused-creates.ts';
import { pollTarget } from '../../../functions/poller/poll-target.ts';
import { vmLifecycle } from '../../../functions/provider-api/service-types/vm.ts';
import { recordsIn } from '../../../functions/provider-api/use-cases.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import {
  CapacityError,
  FailedPreconditionError,
  NotFoundError,
  ProviderError,
} from '../../../shared/core/errors.ts';
import { type Target, targetKey, targetOfKey } from '../../../shared/core/target.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { InstanceState } from '../../../shared/service-types/vm/kind.ts';
import type { InstanceActions, Instances } from '../../../shared/service-types/vm/ports.ts';
import { servedVms } from '../../../shared/service-types/vm/served.ts';
import { specOf } from '../../../shared/service-types/vm/spec.ts';
import { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { randomFaults } from '../../fakes/faulty.ts';
import { type MemoryEc2, memoryEc2 } from '../../fakes/memory-ec2.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryVmRecords } from '../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { halfPastTen, identity } from '../../fixtures/resource-messages.ts';

/** Both accounts have the same region, the same DCM ids and the same tags. */
const region = 'us-east-1';
const accountIds = { home: '123456789012', prod: '222222222222' } as const;
type Account = keyof typeof accountIds;
const targets: Record<Account, Target> = { home: { region }, prod: { region, account: accountIds.prod } };
const accounts = { prod: { id: accountIds.prod, regions: [region] } };
const other = { home: 'prod', prod: 'home' } as const;
const dcmIds = ['vm-1', 'vm-2'] as const;
const tagsOf = (id: string) => ({
  ...{ 'managed-by': 'dcm', 'dcm-instance-id': id, 'dcm-provider': 'ec2-sp', 'dcm-service-type': 'vm' },
});

const step = fc.record({
  by: fc.constantFrom('home' as const, 'prod' as const),
  does: fc.constantFrom(
    ...(['create', 'create', 'delete', 'read', 'complete deletions', 'copy tags', 'change tags'] as const),
    ...(['change state', 'change state', 'forge', 'list', 'fill', 'deliver', 'deliver'] as const),
  ),
  dcmId: fc.constantFrom(...dcmIds),
  nth: fc.nat(5),
});
type Step = typeof step extends fc.Arbitrary<infer Given> ? Given : never;
const scenario = fc.record({
  seed: fc.integer(),
  /** The steps of one place are taken at once. */
  steps: fc.array(fc.oneof({ weight: 4, arbitrary: fc.tuple(step) }, fc.tuple(step, step)), {
    minLength: 5,
    maxLength: 40,
  }),
});

describe('two accounts with the same regions, tags and DCM ids', () => {
  it('never mix ids, take nothing over, and change nothing of each other, in any order of requests, events and listings', async () => {
    const seen = { reported: new Set<string>(), refused: 0, duplicates: 0, foreign: 0 };
    await fc.assert(
      fc.asyncProperty(scenario, async ({ seed, steps }) => {
        const world = twoAccounts(seed);
        await live(world, steps);

        expect(world.trespasses).toEqual([]);
        expect(world.mixedIds()).toEqual([]);
        expect(await world.takenOver()).toEqual([]);
        seen.reported = new Set([...seen.reported, ...world.reporting()]);
        seen.refused += world.refusals();
        seen.duplicates += world.meter.counts.duplicateOwner ?? 0;
        seen.foreign += world.meter.counts.foreignAccount ?? 0;
      }),
      { numRuns: 250 },
    );
    expect(seen.reported).toEqual(new Set(Object.values(accountIds)));
    expect(Math.min(seen.refused, seen.duplicates, seen.foreign)).toBeGreaterThan(0);
  });
});

/** Takes all steps. One that is taken alone changes nothing of the other account. */
const live = async (world: ReturnType<typeof twoAccounts>, steps: readonly Step[][]) => {
  for (const together of steps) {
    const [alone] = together.length === 1 ? together : [];
    const before = alone && (await world.stateOf(other[alone.by]));
    await Promise.all(together.map(world.take));
    await world.noteOwners();
    if (alone) expect(await world.stateOf(other[alone.by]), alone.does).toEqual(before);
    world.clock.ms += 1_000;
  }
  await world.drain();
};

const Told = z.object({ partitionkey: z.string(), data: z.object({ id: z.string() }) });

const next: Partial<Record<InstanceState, InstanceState>> = {
  pending: 'running',
  running: 'stopping',
  stopping: 'stopped',
  stopped: 'pending',
  'shutting-down': 'terminated',
};

type Queued = { readonly body: string; readonly dueAtMs: number };

/** The provider and EC2 in two accounts, all in memory. */
const twoAccounts = (seed: number) => {
  const clock = { ms: (halfPastTen + 3600) * 1000 };
  const now = () => clock.ms;
  const faults = randomFaults(seed, 0);
  const [meter, log] = [countingMeter(), memoryLog()];
  const resourceStore = memoryResourceStore(now);
  const records = memoryVmRecords(now);
  const listings = memoryListings(now);
  const stream = memoryEventStream();
  const ec2: Record<Account, MemoryEc2> = {
    home: memoryEc2(now),
    prod: memoryEc2(now, { account: accountIds.prod, firstNumber: 501 }),
  };
  const queues: Record<Account, Queued[]> = { home: [], prod: [] };
  /** Calls of EC2 in another account than that of the request. */
  const trespasses: string[] = [];
  let refused = 0;

  const accountOf = (id: string): Account => (id === accountIds.prod ? 'prod' : 'home');
  const ec2In = ({ account }: Target) => ec2[account === undefined ? 'home' : accountOf(account)];
  const queue = (events: readonly EventBridgeEvent[], afterSeconds = 0) => {
    for (const event of events)
      queues[accountOf(event.account)].push({
        body: JSON.stringify(event),
        dueAtMs: now() + afterSeconds * 1000,
      });
  };
  const observations: Observations = { send: async (...sent) => queue(...sent) };
  const instances: Instances = {
    describe: (target, ...asked) => ec2In(target).describe(target, ...asked),
    list: (query) => ec2In(query.target).list(query),
  };
  const common = { ...identity, now, meter, log, resourceStore, observations };

  /** EC2 as the provider-api reaches it for requests in one account. */
  const actionsOf = (by: Account): InstanceActions => {
    const guarded = (target: Target, what: string) => {
      if (ec2In(target) !== ec2[by]) trespasses.push(`${by}: ${what} in ${targetKey(target)}`);
      return ec2In(target);
    };
    return {
      run: (plan, ...asked) => guarded(targetOfKey(plan.region), 'run').run(plan, ...asked),
      dryRun: async () => undefined,
      start: (target, id) => guarded(target, `start ${id}`).start(target, id),
      stop: (target, id) => guarded(target, `stop ${id}`).stop(target, id),
      reboot: (target, id) => guarded(target, `reboot ${id}`).reboot(target, id),
      terminate: (target, id) => guarded(target, `terminate ${id}`).terminate(target, id),
    };
  };
  const useCasesOf = (by: Account) => {
    const { account } = targets[by];
    const tagged = (dcmId: string) => launchPlan({ region: targetKey(targets[by]), tags: tagsOf(dcmId) });
    return vmLifecycle({
      ...{ ...common, account, instances, actions: actionsOf(by), changeAdopted: true },
      records: recordsIn(targets[by], records),
      plan: async (_, { dcmId }) => tagged(dcmId),
      pause: async (ms) => {
        clock.ms += ms;
      },
    });
  };
  const useCases = { home: useCasesOf('home'), prod: useCasesOf('prod') };

  const parts = {
    ...common,
    types: [servedVms(instances, records)],
    publisher: publishEvents(stream),
    ...{ listings, retries: { deadLetter: async () => undefined }, randomPart },
    ...{ homeAccount: accountIds.home, accounts },
  };
  const read = readRefusals(
    readMessage({ ...common, regions: [region], account: accountIds.home, accounts }),
  );
  const handle = reportRefusals(parts, reportStatus(parts));
  const poll = pollTarget({
    ...{ ...common, accounts, listings, floorSeconds: 10, random: () => 0 },
    types: [servedVms(instances)],
  });

  const instanceOf = (by: Account, nth: number) => {
    const all = [...ec2[by].instances.values()];
    return all[nth % Math.max(all.length, 1)];
  };
  const aws = (
    by: Account,
    change: Pick<EventBridgeEvent, 'source' | 'detail-type' | 'resources' | 'detail'>,
  ) =>
    queue([
      EventBridgeEvent.parse({
        ...{ version: '0', id: `event-${now()}`, account: accountIds[by], region },
        ...{ time: new Date(now()).toISOString(), ...change },
      }),
    ]);
  /** Of its own instance; or, forged, of one of the other account's. */
  const tellState = (by: Account, resourceId: string, state: string) =>
    aws(by, {
      ...{ source: 'aws.ec2', 'detail-type': 'EC2 Instance State-change Notification' },
      resources: [`arn:aws:ec2:${region}:${accountIds[by]}:instance/${resourceId}`],
      detail: { 'instance-id': resourceId, state },
    });

  const deliver = async (by: Account, dueAtMs = now()) => {
    const due = queues[by].filter((one) => one.dueAtMs <= dueAtMs);
    queues[by] = queues[by].filter((one) => one.dueAtMs > dueAtMs);
    const batch = faults.shuffled(due);
    const failures = await handle(
      batch.map(({ body }, place) => ({
        ...{ messageId: String(place), isRetry: faults.below(2) > 0, resourceMessages: read(body) },
      })),
    );
    for (const id of failures.keys())
      queues[by].push({ body: batch[Number(id)]?.body ?? '', dueAtMs: now() + 1_000 });
  };

  const answered = (error: unknown) => {
    if (error instanceof FailedPreconditionError || error instanceof NotFoundError) refused += 1;
    if (!(error instanceof ProviderError)) throw error;
  };

  /** The account that created under an id first, also where it got no instance. */
  const firstUsers = new Map<string, Account>();
  const noteUse = (dcmId: string, by: Account) => {
    if (!firstUsers.has(dcmId)) firstUsers.set(dcmId, by);
  };
  const noteOwners = async () => {
    for (const record of await Promise.all(dcmIds.map((id) => records.read(id))))
      if (record) noteUse(record.dcmId, accountOf(targetOfKey(record.region).account ?? accountIds.home));
  };

  type Taken = (step: Step) => Promise<void> | void;
  const refuse = (why: Promise<unknown>) => why.then(() => undefined, answered);
  /** What each step does. */
  const actions: Record<Step['does'], Taken> = {
    create({ by, dcmId, nth }) {
      const asked = { dcmId, ...targets[by], requestId: `request-${now()}` };
      const request = nth > 2 ? { key: `key-${nth}` } : undefined;
      const create = () => useCases[by].create({ ...asked, spec: specOf({ vcpu: { count: 2 } }), request });
      const noteRefused = (error: unknown) => {
        if (error instanceof CapacityError) noteUse(dcmId, by);
        throw error;
      };
      return refuse(useCases[by].reportRefusals(asked, create).catch(noteRefused));
    },
    delete: ({ by, dcmId }) => refuse(useCases[by].delete(dcmId, 'delete')),
    read: ({ by, dcmId }) => refuse(useCases[by].read.get(dcmId)),
    async 'complete deletions'({ by }) {
      const { requested, complete } = useCases[by].deletions;
      for (const id of await requested(targets[by], now())) await refuse(complete(id, 'complete'));
    },
    async 'copy tags'({ by, dcmId }) {
      const plan = launchPlan({ region: targetKey(targets[by]), tags: tagsOf(dcmId) });
      const launching = ec2[by].run(plan, plan.placements[0], `by hand ${now()}`);
      await refuse(launching.then(({ instanceId }) => tellState(by, instanceId, 'pending')));
    },
    'change tags'({ by, dcmId, nth }) {
      const chosen = instanceOf(by, nth);
      if (chosen === undefined) return;
      ec2[by].instances.set(chosen.resourceId, { ...chosen, tags: tagsOf(dcmId) });
      aws(by, {
        ...{ source: 'aws.tag', 'detail-type': 'Tag Change on Resource' },
        resources: [`arn:aws:ec2:${region}:${accountIds[by]}:instance/${chosen.resourceId}`],
        detail: {
          ...{ 'changed-tag-keys': ['dcm-instance-id'], tags: tagsOf(dcmId), version: 1 },
          ...{ service: 'ec2', 'resource-type': 'instance' },
        },
      });
    },
    'change state'({ by, nth }) {
      const chosen = instanceOf(by, nth);
      const state = chosen && next[chosen.state];
      if (chosen === undefined || state === undefined) return;
      ec2[by].instances.set(chosen.resourceId, { ...chosen, state });
      tellState(by, chosen.resourceId, state);
    },
    forge({ by, nth }) {
      const chosen = instanceOf(other[by], nth);
      if (chosen) tellState(by, chosen.resourceId, 'terminated');
    },
    list({ by }) {
      clock.ms += 400_000;
      return poll({ target: targets[by], mode: 'legacy' });
    },
    fill({ by, nth }) {
      ec2[by].isFull = () => nth > 2;
    },
    deliver: ({ by }) => deliver(by),
  };
  const take = async (step: Step): Promise<void> => actions[step.does](step);

  const ids = () => Object.values(ec2).flatMap((one) => [...one.instances.keys()]);
  /** All that the provider remembers of an account's resources, and the resources themselves. */
  const stateOf = async (account: Account) => {
    const held = await resourceStore.read([...ec2[account].instances.keys()]);
    const ids = dcmIds.filter((id) => firstUsers.get(id) === account);
    const own = await Promise.all(ids.map((id) => records.creation(id)));
    return structuredClone({
      held: [...held].map(([id, one]) => [id, one.owner === 'ours' ? withoutKind(one.vm) : one]),
      ...{ own, instances: [...ec2[account].instances] },
    });
  };

  /** The resources of ours whose DCM id has the record of another account. */
  const takenOver = async () => {
    const held = [...(await resourceStore.read(ids())).values()];
    const ours = held.flatMap((one) => (one.owner === 'ours' ? [one.vm] : []));
    const owners = await Promise.all(ours.map(({ dcmId }) => records.read(dcmId)));
    return ours.filter(({ account }, place) => {
      const record = owners[place];
      return record && (targetOfKey(record.region).account ?? accountIds.home) !== account;
    });
  };

  const told = () =>
    stream.stored
      .map((event) => Told.parse(event))
      .flatMap(({ partitionkey, data }) => {
        const account = Object.values(ec2).flatMap((one) => one.instances.get(partitionkey)?.account ?? []);
        return account.map((one) => ({ dcmId: data.id, account: one }));
      });

  return {
    ...{ clock, meter, trespasses, take, noteOwners, stateOf, takenOver },
    /** Delivers all messages, together, until no follow-up is left. */
    drain: async () => {
      for (let round = 0; round < 20; round++) {
        clock.ms += 60_000;
        await Promise.all([deliver('home'), deliver('prod')]);
      }
    },
    reporting: () => new Set(told().map(({ account }) => account)),
    /** DCM ids of which statuses of instances of both accounts were published. */
    mixedIds: () =>
      dcmIds.filter(
        (id) => new Set(told().flatMap((one) => (one.dcmId === id ? [one.account] : []))).size > 1,
      ),
    refusals: () => refused,
  };
};

const withoutKind = <Vm extends { readonly kind: unknown }>({ kind: _, ...vm }: Vm) => vm;
