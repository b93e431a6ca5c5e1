import { DescribeInstanceStatusCommand, DescribeInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { startSimulation } from './simulation.ts';

const zone = (letter: string) => ({ Placement: { AvailabilityZone: `us-east-1${letter}` } });

describe('EC2 simulator, short of capacity', () => {
  it('launches no instance of a type in a zone without it, and others beside', async () => {
    await using simulation = await startSimulation({
      faults: { noCapacity: [{ instanceType: 'm5.large', zone: 'us-east-1a' }] },
    });
    const { launch, simulator } = simulation;

    await expect(launch({ InstanceType: 'm5.large', ...zone('a') })).rejects.toMatchObject({
      name: 'InsufficientInstanceCapacity',
      $metadata: { httpStatusCode: 500 },
    });
    await launch({ InstanceType: 'm5.large', ...zone('b') });
    await launch({ InstanceType: 'm5.xlarge', ...zone('a') });

    expect(simulator.instances()).toHaveLength(2);
  });

  it('takes another zone where none is asked for', async () => {
    await using simulation = await startSimulation({ faults: { noCapacity: [{ zone: 'us-east-1a' }] } });
    const { launch, shown } = simulation;

    const id = await launch({ InstanceType: 'm5.large' });

    expect((await shown({ InstanceIds: [id] }))[0]?.Placement?.AvailabilityZone).toBe('us-east-1b');
  });

  it('has a type nowhere, until the fault ends', async () => {
    await using simulation = await startSimulation();
    const { launch, simulator } = simulation;
    simulator.faults({ noCapacity: [{ instanceType: 'm5.large' }] });

    await expect(launch({ InstanceType: 'm5.large' })).rejects.toThrow('sufficient m5.large capacity');
    simulator.faults({ noCapacity: [] });

    expect(await launch({ InstanceType: 'm5.large' })).toMatch(/^i-/);
  });

  it('does not ask for capacity in a dry run, nor for what was launched already', async () => {
    await using simulation = await startSimulation();
    const { launch, simulator } = simulation;
    const input = { InstanceType: 'm5.large', ClientToken: 'once' } as const;
    const first = await launch(input);
    simulator.faults({ noCapacity: [{}] });

    await expect(launch({ ...input, DryRun: true })).rejects.toMatchObject({ name: 'DryRunOperation' });
    expect(await launch(input)).toBe(first);
  });

  it('runs no more vCPUs than its limit, spot instances aside', async () => {
    await using simulation = await startSimulation({ faults: { vcpuLimit: 5 } });
    const { launch } = simulation;
    await launch({ InstanceType: 'm5.large' });

    await expect(launch({ InstanceType: 'm5.xlarge' })).rejects.toMatchObject({ name: 'VcpuLimitExceeded' });
    await launch({ InstanceType: 'm5.xlarge', InstanceMarketOptions: { MarketType: 'spot' } });

    expect(await launch({ InstanceType: 'm5.large' })).toMatch(/^i-/);
  });
});

describe('EC2 simulator, refusing an action', () => {
  it.each([
    ['UnauthorizedOperation', 403],
    ['InstanceLimitExceeded', 400],
    ['VcpuLimitExceeded', 400],
    ['Unavailable', 503],
  ] as const)('answers %s to all of its calls, in a dry run too', async (code, httpStatusCode) => {
    await using simulation = await startSimulation({ faults: { refuse: { RunInstances: code } } });
    const { client, launch, simulator } = simulation;

    const refusal = { name: code, $metadata: { httpStatusCode } };
    await expect(launch()).rejects.toMatchObject(refusal);
    await expect(launch({ DryRun: true })).rejects.toMatchObject(refusal);

    expect(simulator.instances()).toEqual([]);
    expect((await client.send(new DescribeInstancesCommand({}))).Reservations).toEqual([]);
  });
});

describe('EC2 simulator, status checks', () => {
  it('tell since when one fails', async () => {
    const now = 1_787_394_600_000;
    await using simulation = await startSimulation({ clock: () => now });
    const { client, launch, reaches, simulator } = simulation;
    const id = await launch();
    await reaches(id, 'running');
    await simulator.impair(id, 'system');

    const { InstanceStatuses } = await client.send(
      new DescribeInstanceStatusCommand({
        Filters: [{ Name: 'system-status.status', Values: ['impaired'] }],
      }),
    );

    expect(InstanceStatuses).toMatchObject([
      {
        InstanceId: id,
        SystemStatus: { Status: 'impaired', Details: [{ Status: 'failed', ImpairedSince: new Date(now) }] },
        InstanceStatus: { Status: 'ok', Details: [{ Status: 'passed' }] },
      },
    ]);
  });
});
