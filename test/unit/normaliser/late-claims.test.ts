import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ResourceMessage } from '../../../shared/core/message.ts';
import { type InstanceState, vmStatus } from '../../../shared/service-types/vm/kind.ts';
import { described } from '../../fakes/scripted-instances.ts';
import {
  dcmId,
  halfPastTen,
  observed,
  ourTags,
  resourceId,
  tagged,
  wanted,
} from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

const otherTags = { Name: 'web-1' };

/** An instance that two workers know not to be ours. */
const foreignTo = async (state: InstanceState = 'running') => {
  const account = awsAccount({ resourceId, state, tags: otherTags });
  const [one, two] = [account.worker(), account.worker()];
  await one([observed('running')]);
  await two([observed('running')]);
  const becomes = (now: InstanceState, tags: Record<string, string> = ourTags) =>
    account.instances.known.set(resourceId, described({ resourceId, state: now, tags }));
  return { ...account, one, two, becomes };
};

describe('normaliser, with an instance that is tagged late', () => {
  it('publishes at once that it runs', async () => {
    const { one, becomes, statuses } = await foreignTo();
    becomes('running');

    await one([tagged(ourTags, 3600)]);

    expect(statuses()).toEqual(['RUNNING']);
  });

  it('publishes its next change, whichever worker has the event', async () => {
    const { one, two, becomes, statuses } = await foreignTo();
    becomes('running');

    await one([tagged(ourTags, 3600)]);
    await two([observed('stopping', 3601)]);

    expect(statuses()).toEqual(['RUNNING', 'STOPPING']);
  });

  it('publishes a change whose worker reads an old copy of the table', async () => {
    const { one, worker, resourceStore, becomes, statuses } = await foreignTo();
    becomes('running');
    const old = await resourceStore.read([resourceId]);

    await one([tagged(ourTags, 3600)]);
    await worker({ resourceStore: { ...resourceStore, read: async () => old } })([
      observed('stopping', 3601),
    ]);

    expect(statuses()).toEqual(['RUNNING', 'STOPPING']);
  });

  it('handles our own messages about it, whichever worker has them', async () => {
    const { one, two, becomes, statuses } = await foreignTo();
    becomes('running');

    await one([tagged(ourTags, 3600)]);
    await two([wanted(3660)]);

    expect(statuses()).toEqual(['RUNNING', 'RUNNING']);
  });

  it('asks EC2 after the claim: a change that was dropped before it is published', async () => {
    const { one, resourceStore, worker, becomes, statuses } = await foreignTo();
    becomes('running');
    const claim: typeof resourceStore.claim = async (made) => {
      becomes('stopped');
      await one([observed('stopped', 3599)]); // dropped: nobody has claimed it yet
      await resourceStore.claim(made);
    };

    await worker({ resourceStore: { ...resourceStore, claim } })([tagged(ourTags, 3600)]);

    expect(statuses()).toEqual(['STOPPED']);
  });

  it('asks EC2 again 75 seconds later, whose answer may have been old at the claim', async () => {
    const { one, two, becomes, due, statuses, later } = await foreignTo();
    becomes('running');
    await one([tagged(ourTags, 3600)]);
    becomes('stopped');

    expect(later).toMatchObject([{ afterSeconds: 75 }]);
    await two(due(75));

    expect(statuses()).toEqual(['RUNNING', 'STOPPED']);
  });

  it('queues that question also where it crashed after the claim', async () => {
    const { one, two, becomes, resourceStore, later } = await foreignTo();
    becomes('running');
    await resourceStore.claim(vm);

    await one([tagged(ourTags, 3600)]);
    await two([tagged(ourTags, 3600)], 2);

    expect(later).toMatchObject([{ afterSeconds: 75 }]);
  });

  it('tries the tag change again while EC2 does not show it', async () => {
    const { one, two, becomes, clock, statuses } = await foreignTo();
    clock.ms = (halfPastTen + 3601) * 1000;

    const failures = await one([tagged(ourTags, 3600)]);
    becomes('running');
    await two([tagged(ourTags, 3600)], 2);

    expect(failures.size).toBe(1);
    expect(statuses()).toEqual(['RUNNING']);
  });

  it('loses no change after the claim, whatever each of several workers has seen of it before', async () => {
    await fc.assert(
      fc.asyncProperty(lives, fc.nat(11), fc.nat(workerCount - 1), async (steps, place, claiming) => {
        const tagAt = Math.min(place, steps.length - 1);

        const account = await lived(steps, { tagAt, claiming });

        const statuses = steps.slice(tagAt).map(({ state }) => vmStatus(state));
        expect(account.statuses()).toEqual(statuses.filter((status, at) => status !== statuses[at - 1]));
        expect(account.told().every(({ id }) => id === dcmId)).toBe(true);
      }),
      { numRuns: 200 },
    );
  });
});

const workerCount = 4;

/** States a minute apart, each with the worker that has its event. */
const lives = fc.array(
  fc.record({
    worker: fc.nat(workerCount - 1),
    state: fc.constantFrom<InstanceState>('running', 'stopping', 'stopped'),
  }),
  { minLength: 2, maxLength: 12 },
);
type Steps = typeof lives extends fc.Arbitrary<infer Given> ? Given : never;

/** The account after such a life, during which the instance is tagged as ours right after one of its states. */
const lived = async (
  steps: Steps,
  { tagAt, claiming }: { readonly tagAt: number; readonly claiming: number },
) => {
  const account = awsAccount({ resourceId, tags: otherTags });
  const workers = Array.from({ length: workerCount }, () => account.worker({ burst: 9 }));
  const deliver = async (worker: number, ...resourceMessages: ResourceMessage[]) => {
    const failures = await workers[worker]?.(resourceMessages);
    expect(failures?.size).toBe(0);
  };
  for (const [step, { worker, state }] of steps.entries()) {
    const seconds = 3600 + step * 60;
    account.clock.ms = (halfPastTen + seconds) * 1000;
    const tags = step >= tagAt ? ourTags : otherTags;
    account.instances.known.set(resourceId, described({ resourceId, state, tags }));
    await deliver(worker, observed(state, seconds));
    if (step === tagAt) await deliver(claiming, tagged(ourTags, seconds));
  }
  await deliver(claiming, ...account.due(80));
  return account;
};
