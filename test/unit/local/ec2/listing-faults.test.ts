import type { Instance } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2SimulatorOptions } from '../../../../local/emulators/ec2/start-ec2-simulator.ts';
import { ours, startSimulation } from './simulation.ts';

const byTag = { Filters: [{ Name: 'tag:managed-by', Values: ['dcm'] }] };
const idsOf = (instances: readonly Instance[]) => instances.map(({ InstanceId }) => InstanceId);
const lengths = (pages: readonly unknown[][]) => pages.map(({ length }) => length);

/** Forty instances of ours. */
const resourceStore = async (options: Partial<Ec2SimulatorOptions> = {}) => {
  const simulation = await startSimulation({ seed: 1, ...options });
  const ids = simulation.simulator.populate({ region: 'us-east-1', count: 40, tags: () => ours });
  return { ...simulation, ids };
};

describe('EC2 simulator, the fault failPages', () => {
  it('fails some of the pages as EC2 does, and gives them when asked again', async () => {
    await using simulation = await resourceStore({ faults: { failPages: 0.5 } });
    const { ids, shown } = simulation;

    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => shown(byTag)));

    const failures = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    const codes = failures.map(({ name, $metadata }) => `${$metadata.httpStatusCode} ${name}`);
    expect(failures.length).toBeGreaterThan(10);
    expect(failures.length).toBeLessThan(30);
    expect(new Set(codes)).toEqual(new Set(['500 InternalError', '503 Unavailable']));
    expect(outcomes.flatMap((one) => (one.status === 'fulfilled' ? [one.value.length] : []))).toEqual(
      Array.from({ length: 40 - failures.length }, () => ids.length),
    );
  });

  it('fails nothing but DescribeInstances', async () => {
    await using simulation = await startSimulation({ faults: { failPages: 1 } });

    await expect(simulation.launch()).resolves.toMatch(/^i-/);
    await expect(simulation.shown()).rejects.toThrow();
  });
});

describe('EC2 simulator, the fault shortPages', () => {
  it('gives short and empty pages that go on, an empty last one, and every instance once', async () => {
    await using simulation = await resourceStore({ faults: { shortPages: true } });

    const pages = await simulation.pages(10);

    expect(idsOf(pages.flat())).toEqual(simulation.ids);
    expect(lengths(pages).slice(0, -1)).toContain(0);
    expect(new Set(lengths(pages)).size).toBeGreaterThan(2);
    expect(pages.at(-1)).toEqual([]);
  });

  it('leaves an answer without pages whole', async () => {
    await using simulation = await resourceStore({ faults: { shortPages: true } });

    expect(await simulation.shown(byTag)).toHaveLength(40);
  });
});

describe('EC2 simulator, the faults emptyListings and partialListings', () => {
  it('finds nothing by tags, and says that it is all', async () => {
    await using simulation = await resourceStore({ faults: { emptyListings: true } });

    expect(await simulation.pages(10)).toEqual([[]]);
    expect(await simulation.shown({ Filters: [{ Name: 'tag-key', Values: ['managed-by'] }] })).toEqual([]);
  });

  it('misses the same share of the instances in every listing, however it is paged', async () => {
    await using simulation = await resourceStore({ faults: { partialListings: 0.25 } });

    const listings = [await simulation.pages(5), await simulation.pages(1000)].map((pages) =>
      idsOf(pages.flat()),
    );

    expect(listings[0]?.length).toBeGreaterThan(20);
    expect(listings[0]?.length).toBeLessThan(40);
    expect(listings[1]).toEqual(listings[0]);
  });

  it('misses more of them with a larger share, and none when it ends', async () => {
    await using simulation = await resourceStore();
    const found = async (partialListings: number) => {
      simulation.simulator.faults({ partialListings });
      return idsOf(await simulation.shown(byTag));
    };

    const [most, some, all] = [await found(0.25), await found(0.75), await found(0)];

    expect(some.length).toBeGreaterThan(0);
    expect(most).toEqual(expect.arrayContaining(some));
    expect(some.length).toBeLessThan(most.length);
    expect(all).toEqual(simulation.ids);
  });

  it.each(['emptyListings', 'partialListings'] as const)(
    'finds every instance in spite of %s when asked by id, or without tags',
    async (fault) => {
      await using simulation = await resourceStore({
        faults: { [fault]: fault === 'emptyListings' ? true : 1 },
      });
      const { ids, shown } = simulation;
      const Values = ids.slice(0, 20);

      expect(await shown(byTag)).toEqual([]);
      expect(
        idsOf(
          await shown({ Filters: [...byTag.Filters, { Name: 'instance-id', Values }], MaxResults: 1000 }),
        ),
      ).toEqual(Values);
      expect(idsOf(await shown({ ...byTag, InstanceIds: Values }))).toEqual(Values);
      expect(await shown()).toHaveLength(40);
    },
  );
});
