import { TerminateInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { ours, startSimulation } from './simulation.ts';

describe('EC2 simulator, populating', () => {
  it('adds running instances with their tags, without events', async () => {
    await using simulation = await startSimulation();
    const { events, shown, simulator, transitions } = simulation;

    const ids = simulator.populate({
      region: 'us-east-1',
      count: 3,
      tags: (index) => ({ Name: `vm-${index}` }),
    });

    const instances = await shown();
    expect(
      instances.map(({ InstanceId, State, Tags }) => [InstanceId, State?.Name, Tags?.[0]?.Value]),
    ).toEqual(ids.map((id, index) => [id, 'running', `vm-${index}`]));
    expect([...events, ...transitions]).toEqual([]);
  });

  it('adds instances like all others', async () => {
    await using simulation = await startSimulation();
    const [id = ''] = simulation.simulator.populate({ region: 'us-east-1', count: 1, tags: () => ours });

    await simulation.client.send(new TerminateInstancesCommand({ InstanceIds: [id] }));
    await simulation.reaches(id, 'terminated');

    expect(simulation.publishedStates()).toEqual(['shutting-down', 'terminated']);
  });
});
