import { setTimeout as sleep } from 'node:timers/promises';
import { StartInstancesCommand, StopInstancesCommand, TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { defaultDwellMs, nextState } from '../../../../local/emulators/ec2/lifecycle.ts';
import { seededRandom } from '../../../../local/emulators/random.ts';
import { wholeLife } from '../../../fixtures/resource-messages.ts';
import { startSimulation } from './simulation.ts';

describe('EC2 simulator, the life of an instance', () => {
  it('goes through every state, and emits an event for each, in order', async () => {
    await using simulation = await startSimulation();
    const { client, launch, reaches } = simulation;

    const id = await launch();
    await reaches(id, 'running');
    await client.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'stopped');
    await client.send(new StartInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'running');
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'terminated');

    expect(simulation.publishedStates()).toEqual(wholeLife);
    expect(simulation.transitions.map(({ state }) => state)).toEqual(wholeLife);
    expect(simulation.transitions.every(({ instanceId }) => instanceId === id)).toBe(true);
  });

  it('can be terminated in any state, and stays terminated', async () => {
    await using simulation = await startSimulation({ dwellMs: { pending: 1_000, 'shutting-down': 5 } });
    const { client, launch, reaches } = simulation;
    const id = await launch();

    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'terminated');
    await sleep(1_100); // by then it would have been running

    expect(simulation.publishedStates()).toEqual(['pending', 'shutting-down', 'terminated']);
  });

  it('has the reason of its state', async () => {
    await using simulation = await startSimulation({ clock: () => Date.parse('2026-08-22T10:30:00.789Z') });
    const { client, launch, reaches, shown } = simulation;
    const id = await launch({ HibernationOptions: { Configured: true } });
    await reaches(id, 'running');
    const [running] = await shown();

    await client.send(new StopInstancesCommand({ InstanceIds: [id], Hibernate: true }));
    await reaches(id, 'stopped');

    const [hibernated] = await shown();
    expect(running?.StateReason).toBeUndefined();
    expect(running?.StateTransitionReason).toBe('');
    expect(hibernated?.StateReason?.Code).toBe('Client.UserInitiatedHibernate');
    expect(hibernated?.StateTransitionReason).toBe('User initiated (2026-08-22 10:30:00 GMT)');
  });

  it('does not hibernate what was not launched for it', async () => {
    await using simulation = await startSimulation();
    const id = await simulation.launch();
    await simulation.reaches(id, 'running');

    const stopping = simulation.client.send(new StopInstancesCommand({ InstanceIds: [id], Hibernate: true }));

    await expect(stopping).rejects.toMatchObject({ name: 'UnsupportedHibernationConfiguration' });
  });

  it('has addresses while it can use them', async () => {
    await using simulation = await startSimulation();
    const { client, launch, reaches, shown } = simulation;
    const id = await launch({ NetworkInterfaces: [{ DeviceIndex: 0, AssociatePublicIpAddress: true }] });
    const [started] = await shown();
    await reaches(id, 'running');
    await client.send(new StopInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'stopped');
    const [stopped] = await shown();
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'terminated');

    const [terminated] = await shown();
    expect(started).toMatchObject({
      PrivateIpAddress: '172.31.16.1',
      PrivateDnsName: 'ip-172-31-16-1.ec2.internal',
      PublicIpAddress: '198.18.0.1',
      PublicDnsName: 'ec2-198-18-0-1.compute-1.amazonaws.com',
    });
    expect([stopped?.PrivateIpAddress, stopped?.PublicIpAddress]).toEqual(['172.31.16.1', undefined]);
    expect([terminated?.PrivateIpAddress, terminated?.PrivateDnsName]).toEqual([undefined, '']);
  });

  it('is unknown an hour after its termination', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using simulation = await startSimulation({ clock: () => now });
    const { client, launch, reaches, shown } = simulation;
    const id = await launch();
    await client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await reaches(id, 'terminated');

    now += 3_600_000;
    const afterAnHour = await shown();
    now += 1;
    const later = await shown();

    expect([afterAnHour.length, later.length]).toEqual([1, 0]);
    await expect(shown({ InstanceIds: [id] })).rejects.toMatchObject({ name: 'InvalidInstanceID.NotFound' });
  });

  it('dwells as long as EC2 does, differently each time, the same for the same seed', () => {
    const dwells = (seed: number) => {
      const random = seededRandom(seed);
      return Array.from({ length: 100 }, () => nextState('pending', defaultDwellMs, random)?.ms ?? 0);
    };

    expect(Math.min(...dwells(1))).toBeGreaterThanOrEqual(1500);
    expect(Math.max(...dwells(1))).toBeLessThan(3000);
    expect(new Set(dwells(1)).size).toBe(100);
    expect(dwells(1)).toEqual(dwells(1));
    expect(dwells(1)).not.toEqual(dwells(2));
  });
});
