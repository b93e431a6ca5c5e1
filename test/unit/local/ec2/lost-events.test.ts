import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { startSimulation } from './simulation.ts';

const Tags = [{ Key: 'managed-by', Value: 'dcm' }];
const tagged = { TagSpecifications: [{ ResourceType: 'instance' as const, Tags }] };

/** Twelve instances, each launched and running before the next. */
const lives = async (options: Parameters<typeof startSimulation>[0]) => {
  const simulation = await startSimulation(options);
  for (let launched = 0; launched < 12; launched += 1) {
    await simulation.reaches(await simulation.launch(tagged), 'running');
  }
  return simulation;
};

describe('EC2 simulator, the fault loseEvents', () => {
  it('loses its share of the events of every type, and leaves the others unchanged', async () => {
    await using simulation = await lives({ seed: 1, faults: { loseEvents: 0.5 } });
    const { events, simulator, transitions } = simulation;

    const lost = simulator.lostEvents();

    expect(transitions).toHaveLength(24);
    expect(lost.length + events.length).toBe(36);
    expect(lost.length).toBeGreaterThan(9);
    expect(lost.length).toBeLessThan(27);
    expect(simulator.lost()).toBe(lost.length);
    expect(new Set(lost.map(({ detailType }) => detailType)).size).toBe(2);
  });

  it('names the states that were not emitted', async () => {
    await using simulation = await lives({ seed: 1, faults: { loseEvents: 0.5 } });
    const { events, simulator, transitions } = simulation;

    const told = events.map(({ detail }) => `${detail['instance-id']} ${detail.state}`);
    const notPublished = transitions
      .map(({ instanceId, state }) => `${instanceId} ${state}`)
      .filter((change) => !told.includes(change));

    const lost = simulator.lostEvents().filter(({ state }) => state !== undefined);
    expect(lost.map(({ instanceId, state }) => `${instanceId} ${state}`)).toEqual(notPublished);
  });

  it('loses the events of one instance, where the fault names it', async () => {
    await using simulation = await startSimulation({});
    const [lost, other] = [await simulation.launch(), await simulation.launch()];
    await simulation.reaches(lost, 'running');
    await simulation.reaches(other, 'running');
    const { client, simulator, events } = simulation;
    const before = events.length;

    simulator.faults({ loseEventsOf: [lost] });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [lost, other] }));
    await simulation.reaches(lost, 'terminated');
    await simulation.reaches(other, 'terminated');

    const later = events.slice(before).map(({ detail }) => detail['instance-id']);
    expect(later).toContain(other);
    expect(later).not.toContain(lost);
    expect(simulator.lostEvents().map(({ state }) => state)).toEqual(['shutting-down', 'terminated']);
  });

  it('loses the same events for the same seed, whatever calls are made', async () => {
    const fates = async (seed: number, calls: number) => {
      await using simulation = await startSimulation({ seed, faults: { loseEvents: 0.5, throttle: 0.0001 } });
      await Promise.all(Array.from({ length: calls }, () => simulation.shown()));
      for (let launched = 0; launched < 12; launched += 1) {
        await simulation.reaches(await simulation.launch(), 'running');
      }
      return simulation.publishedStates();
    };

    const [one, again, another] = [await fates(1, 0), await fates(1, 5), await fates(2, 0)];

    expect(again).toEqual(one);
    expect(another).not.toEqual(one);
  });

  it('loses warnings too', async () => {
    await using simulation = await startSimulation();
    const { events, launch, simulator } = simulation;
    const id = await launch();
    simulator.faults({ loseEvents: 1 });
    const before = events.length;

    await simulator.interruptSpot(id);
    await simulator.scheduleRetirement(id);

    expect(events).toHaveLength(before);
    expect(simulator.lostEvents().slice(-2)).toEqual([
      {
        instanceId: id,
        region: 'us-east-1',
        detailType: 'EC2 Spot Instance Interruption Warning',
        state: undefined,
      },
      { instanceId: id, region: 'us-east-1', detailType: 'AWS Health Event', state: undefined },
    ]);
  });
});

describe('EC2 simulator, a silent region', () => {
  it('has instances, but emits and loses no events', async () => {
    await using simulation = await startSimulation({ silentRegions: ['us-east-1'] });
    const { events, launch, reaches, simulator, transitions } = simulation;

    await reaches(await launch(tagged), 'running');

    expect(transitions.map(({ state }) => state)).toEqual(['pending', 'running']);
    expect(events).toEqual([]);
    expect(simulator.lost()).toBe(0);
  });

  it('does not change the other regions', async () => {
    await using simulation = await startSimulation({ silentRegions: ['eu-west-1'] });

    await simulation.reaches(await simulation.launch(), 'running');

    expect(simulation.publishedStates()).toEqual(['pending', 'running']);
  });

  it('can become silent and emit again', async () => {
    await using simulation = await startSimulation();
    const { client, launch, reaches, simulator, publishedStates } = simulation;
    const id = await launch();
    await reaches(id, 'running');

    simulator.faults({ silentRegions: ['us-east-1'] });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'terminated');
    simulator.faults({ silentRegions: [] });
    await launch();

    expect(publishedStates().slice(0, 3)).toEqual(['pending', 'running', 'pending']);
  });
});
