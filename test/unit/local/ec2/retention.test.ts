import { DescribeTagsCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2SimulatorOptions } from '../../../../local/emulators/ec2/start-ec2-simulator.ts';
import { ours, startSimulation } from './simulation.ts';

const minute = 60_000;
const byTag = { Filters: [{ Name: 'tag:managed-by', Values: ['dcm'] }] };

/** An instance of ours that was terminated this moment. */
const terminated = async (options: Partial<Ec2SimulatorOptions> = {}) => {
  let now = Date.parse('2026-08-22T10:30:00Z');
  const simulation = await startSimulation({ clock: () => now, ...options });
  const [id = ''] = simulation.simulator.populate({ region: 'us-east-1', count: 1, tags: () => ours });
  await simulation.client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
  await simulation.reaches(id, 'terminated');
  const passes = (ms: number) => {
    now += ms;
  };
  return { ...simulation, id, passes };
};

describe('EC2 simulator, what is left of a terminated instance', () => {
  it('has its tags for ten minutes', async () => {
    await using simulation = await terminated();
    const { passes, shown } = simulation;

    passes(10 * minute);
    const before = await shown(byTag);
    passes(1);
    const after = await shown(byTag);

    expect(before).toMatchObject([{ State: { Name: 'terminated' }, Tags: [{ Key: 'managed-by' }] }]);
    expect(after).toEqual([]);
  });

  it('is still found by its id without them', async () => {
    await using simulation = await terminated();
    const { client, id, passes, shown, simulator } = simulation;

    passes(11 * minute);

    const found = await shown({ InstanceIds: [id] });
    expect(found).toMatchObject([{ InstanceId: id, State: { Name: 'terminated' } }]);
    expect(found[0]?.Tags ?? []).toEqual([]);
    expect((await client.send(new DescribeTagsCommand({}))).Tags ?? []).toEqual([]);
    expect(simulator.instances()).toMatchObject([{ instanceId: id, tags: {} }]);
  });

  it('is nothing after an hour, neither by id, nor by filter, nor to its user', async () => {
    await using simulation = await terminated();
    const { client, id, passes, shown, simulator } = simulation;

    passes(60 * minute + 1);

    const unknown = { name: 'InvalidInstanceID.NotFound' };
    await expect(shown({ InstanceIds: [id] })).rejects.toMatchObject(unknown);
    expect(await shown({ Filters: [{ Name: 'instance-id', Values: [id] }] })).toEqual([]);
    await expect(client.send(new TerminateInstancesCommand({ InstanceIds: [id] }))).rejects.toMatchObject(
      unknown,
    );
    expect(simulator.instances()).toEqual([]);
  });

  it('goes as early as asked', async () => {
    await using simulation = await terminated({ tagsRetainedMs: 1_000, retainedMs: 2_000 });
    const { passes, shown } = simulation;

    passes(1_001);
    const [tagless] = [await shown(byTag), await shown()];
    const known = await shown();
    passes(1_000);

    expect([tagless?.length, known.length, (await shown()).length]).toEqual([0, 1, 0]);
  });

  it('has nothing to do with what only stops', async () => {
    let now = 0;
    await using simulation = await startSimulation({ clock: () => now });
    simulation.simulator.populate({ region: 'us-east-1', count: 1, tags: () => ours });

    now += 24 * 60 * minute;

    expect(await simulation.shown(byTag)).toHaveLength(1);
  });
});
