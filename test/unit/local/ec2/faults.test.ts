import {
  CreateTagsCommand,
  DescribeInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { ours, startSimulation } from './simulation.ts';

describe('EC2 simulator, faults', () => {
  it('refuses some of the calls with RequestLimitExceeded, without effect', async () => {
    await using simulation = await startSimulation({ seed: 1 });
    const { launch, simulator } = simulation;
    simulator.faults({ throttle: 0.5 });

    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => launch()));

    const throttled = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []));
    expect(throttled.length).toBeGreaterThan(10);
    expect(throttled.length).toBeLessThan(30);
    expect(throttled[0]).toMatchObject({
      name: 'RequestLimitExceeded',
      $metadata: { httpStatusCode: 503 },
    });
    expect(simulator.instances()).toHaveLength(40 - throttled.length);
    expect(simulator.calls()).toEqual({ RunInstances: 40 });
  });

  it('shows tags late, also those of the launch, except in the true state', async () => {
    let now = 1_000_000;
    await using simulation = await startSimulation({ clock: () => now });
    const { client, launch, shown, simulator } = simulation;
    const Tags = [{ Key: 'a', Value: '1' }];
    const tagged = { Filters: [{ Name: 'tag:a', Values: ['1', '2'] }] };
    simulator.faults({ tagLagMs: 2_000 });
    const id = await launch({ TagSpecifications: [{ ResourceType: 'instance', Tags }] });

    const before = await shown(tagged);
    now += 2_000;
    const after = await shown(tagged);
    await client.send(new CreateTagsCommand({ Resources: [id], Tags: [{ Key: 'a', Value: '2' }] }));
    const replaced = await shown(tagged);

    expect(before).toEqual([]);
    expect(after[0]?.Tags).toEqual(Tags);
    expect(replaced[0]?.Tags).toEqual(Tags);
    expect(simulator.instances()[0]?.tags).toEqual({ a: '2' });
  });

  it('shows an earlier state', async () => {
    let now = 1_000_000;
    await using simulation = await startSimulation({ clock: () => now });
    const { launch, reaches, shown, simulator } = simulation;
    simulator.faults({ staleReadMs: 3_000 });
    const id = await launch();
    await reaches(id, 'running');

    const stale = await shown({ InstanceIds: [id] });
    now += 3_000;
    const fresh = await shown({ InstanceIds: [id] });

    expect([stale[0]?.State?.Name, fresh[0]?.State?.Name]).toEqual(['pending', 'running']);
    expect(simulator.instances()[0]?.state).toBe('running');
  });

  it('ends with the fault', async () => {
    await using simulation = await startSimulation();
    const describing = () => simulation.client.send(new DescribeInstancesCommand({}));
    simulation.simulator.faults({ throttle: 1 });
    await expect(describing()).rejects.toMatchObject({ name: 'RequestLimitExceeded' });

    simulation.simulator.faults({ throttle: 0 });

    await expect(describing()).resolves.toMatchObject({ Reservations: [] });
  });

  it('shows a page as of one moment, also where that is the moment of a change', async () => {
    let [now, step] = [1_000_000, 0];
    const clock = () => {
      now += step;
      return now;
    };
    await using simulation = await startSimulation({ clock, faults: { staleReadMs: 500 } });
    const { client, pages, reaches, simulator } = simulation;
    const ids = simulator.populate({ region: 'us-east-1', count: 10, tags: () => ours });
    now += 60_000;
    await client.send(new StopInstancesCommand({ InstanceIds: [...ids] }));
    await Promise.all(ids.map((id) => reaches(id, 'stopped')));
    [now, step] = [now + 495, 1];

    const [page = []] = await pages(1000);

    expect(page.map(({ State }) => State?.Name)).toEqual(ids.map(() => 'running'));
  });

  it('finds by the stale state, and shows its reason and its times with it', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using simulation = await startSimulation({ clock: () => now });
    const { client, launch, reaches, shown, simulator } = simulation;
    const id = await launch();
    await reaches(id, 'running');
    now += 60_000;
    await client.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'stopped');
    now += 60_000;
    await client.send(new StartInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'running');
    simulator.faults({ staleReadMs: 3_000 });

    const stale = await shown({ Filters: [{ Name: 'instance-state-name', Values: ['stopped'] }] });

    expect(stale).toMatchObject([
      {
        State: { Name: 'stopped' },
        StateReason: { Code: 'Client.UserInitiatedShutdown' },
        StateTransitionReason: 'User initiated (2026-08-22 10:31:00 GMT)',
        LaunchTime: new Date('2026-08-22T10:30:00Z'),
      },
    ]);
  });

  it('shows late tags late on every page', async () => {
    let now = 1_000_000;
    await using simulation = await startSimulation({ clock: () => now, faults: { tagLagMs: 2_000 } });
    const { pages, simulator } = simulation;
    const early = simulator.populate({ region: 'us-east-1', count: 7, tags: () => ours });
    now += 1_000;
    const late = simulator.populate({ region: 'us-east-1', count: 7, tags: () => ours });
    now += 1_000;

    const before = await pages(5);
    now += 1_000;
    const after = await pages(5);

    const idsOf = (listing: typeof before) => listing.flat().map(({ InstanceId }) => InstanceId);
    expect(idsOf(before)).toEqual(early);
    expect(idsOf(after)).toEqual([...early, ...late]);
  });

  it('throttles pages, of which none is missed when each is asked for again', async () => {
    await using simulation = await startSimulation({ seed: 1, faults: { throttle: 0.3 }, maxAttempts: 10 });
    const ids = simulation.simulator.populate({ region: 'us-east-1', count: 23, tags: () => ours });

    const pages = await simulation.pages(5);

    expect(pages.flat().map(({ InstanceId }) => InstanceId)).toEqual(ids);
    expect(simulation.simulator.calls().DescribeInstances).toBeGreaterThan(5);
  });
});
