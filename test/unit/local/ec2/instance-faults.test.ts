import {
  DescribeInstanceStatusCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { ours, startSimulation } from './simulation.ts';

const volumeLimit = {
  code: 'Server.InternalError',
  message: 'Client.VolumeLimitExceeded: Volume limit exceeded',
};

describe('EC2 simulator, faults of instances', () => {
  it('emits the warning, and terminates a spot instance after the notice', async () => {
    await using simulation = await startSimulation();
    const { events, launch, reaches, shown, simulator } = simulation;
    const id = await launch({ InstanceMarketOptions: { MarketType: 'spot' } });
    await reaches(id, 'running');

    await simulator.interruptSpot(id, { noticeMs: 30 });
    const [warned] = await shown();
    await reaches(id, 'terminated');

    expect(warned?.State?.Name).toBe('running');
    expect((await shown())[0]?.StateReason?.Code).toBe('Server.SpotInstanceTermination');
    expect(events.map(({ detail }) => detail['instance-action'] ?? detail.state)).toEqual([
      'pending',
      'running',
      'terminate',
      'shutting-down',
      'terminated',
    ]);
  });

  it('only stops a spot instance whose interruption is a stop', async () => {
    await using simulation = await startSimulation();
    const { launch, reaches, shown, simulator } = simulation;
    const id = await launch();
    await reaches(id, 'running');

    await simulator.interruptSpot(id, { noticeMs: 1, action: 'stop' });
    await reaches(id, 'stopped');

    expect((await shown())[0]?.StateReason?.Code).toBe('Server.SpotInstanceShutdown');
  });

  it('lets its user stop a spot instance only where the request is persistent', async () => {
    await using simulation = await startSimulation();
    const { client, launch, reaches } = simulation;
    const once = await launch({ InstanceMarketOptions: { MarketType: 'spot' } });
    const persistent = await launch({
      InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'persistent' } },
    });
    await Promise.all([reaches(once, 'running'), reaches(persistent, 'running')]);

    const [refused] = await Promise.allSettled([
      client.send(new StopInstancesCommand({ InstanceIds: [once] })),
      client.send(new StopInstancesCommand({ InstanceIds: [persistent] })),
    ]);

    expect(refused).toMatchObject({ status: 'rejected', reason: { name: 'UnsupportedOperation' } });
    await reaches(persistent, 'stopped');
  });

  it('terminates a failed launch at once, with its reason', async () => {
    await using simulation = await startSimulation({ dwellMs: { pending: 60_000 } });
    const { launch, shown, simulator, publishedStates } = simulation;
    const id = await launch();

    await simulator.fail(id, volumeLimit);

    const [failed] = await shown();
    expect(publishedStates()).toEqual(['pending', 'terminated']);
    expect(failed?.StateReason).toEqual({ Code: volumeLimit.code, Message: volumeLimit.message });
    expect(failed?.StateTransitionReason).toBe('Server.InternalError');
  });

  it('terminates a running instance through shutting-down', async () => {
    await using simulation = await startSimulation();
    const { launch, reaches, simulator, publishedStates } = simulation;
    const id = await launch();
    await reaches(id, 'running');

    await simulator.fail(id, volumeLimit);
    await reaches(id, 'terminated');

    expect(publishedStates()).toEqual(['pending', 'running', 'shutting-down', 'terminated']);
    expect(simulator.instances()).toMatchObject([{ instanceId: id, reason: volumeLimit }]);
  });

  it('shows impaired checks and scheduled retirements in DescribeInstanceStatus', async () => {
    await using simulation = await startSimulation();
    const { client, launch, reaches, simulator } = simulation;
    const [impaired, retiring, diskless] = [await launch(), await launch(), await launch()];
    await Promise.all([impaired, retiring, diskless].map((id) => reaches(id, 'running')));
    const found = async (Name: string, value: string) => {
      const Filters = [{ Name, Values: [value] }];
      const { InstanceStatuses = [] } = await client.send(new DescribeInstanceStatusCommand({ Filters }));
      return InstanceStatuses.map(({ InstanceId }) => InstanceId);
    };

    await simulator.impair(impaired, 'system');
    await simulator.impair(diskless, 'attached-ebs');
    await simulator.scheduleRetirement(retiring);

    expect(await found('system-status.status', 'impaired')).toEqual([impaired]);
    expect(await found('attached-ebs-status.status', 'impaired')).toEqual([diskless]);
    expect(await found('instance-status.status', 'impaired')).toEqual([]);
    expect(await found('event.code', 'instance-retirement')).toEqual([retiring]);
  });

  it('lets an impaired instance recover, by itself or by another start', async () => {
    await using simulation = await startSimulation();
    const { client, impaired, reaches, simulator } = simulation;
    const [itself = '', restarted = ''] = simulator.populate({
      region: 'us-east-1',
      count: 2,
      tags: () => ours,
    });
    await simulator.impair(itself);
    await simulator.impair(restarted);
    const before = (await impaired(5)).flat();

    await simulator.recover(itself);
    const between = (await impaired(5)).flat();
    await client.send(new StopInstancesCommand({ InstanceIds: [restarted] }));
    await reaches(restarted, 'stopped');
    await client.send(new StartInstancesCommand({ InstanceIds: [restarted] }));
    await reaches(restarted, 'running');

    expect([before, between]).toEqual([[itself, restarted], [restarted]]);
    expect((await impaired(5)).flat()).toEqual([]);
  });

  it('lists what is impaired page by page, and nothing else', async () => {
    await using simulation = await startSimulation();
    const { impaired, simulator } = simulation;
    const ids = simulator.populate({ region: 'us-east-1', count: 40, tags: () => ours });
    const ill = ids.filter((_, index) => index % 3 === 0);
    await Promise.all(ill.map((id) => simulator.impair(id)));

    const pages = await impaired(5);

    expect(pages.map(({ length }) => length)).toEqual([5, 5, 4]);
    expect(pages.flat()).toEqual(ill);
  });

  it('leaves a stalled launch in pending, with no further event, until its user ends it', async () => {
    await using simulation = await startSimulation({ dwellMs: { pending: 1_000, 'shutting-down': 5 } });
    const { client, launch, reaches, shown, simulator, publishedStates } = simulation;
    const stalled = await launch();

    await simulator.stall(stalled);
    await reaches(await launch(), 'running');
    const [pending] = await shown({ InstanceIds: [stalled] });
    await client.send(new TerminateInstancesCommand({ InstanceIds: [stalled] }));
    await reaches(stalled, 'terminated');

    expect(pending?.State?.Name).toBe('pending');
    expect(publishedStates()).toEqual(['pending', 'pending', 'running', 'shutting-down', 'terminated']);
  });

  it('refuses to stall an instance that is not in a transitional state', async () => {
    await using simulation = await startSimulation();
    const [id = ''] = simulation.simulator.populate({ region: 'us-east-1', count: 1, tags: () => ours });

    await expect(simulation.simulator.stall(id)).rejects.toThrow(`The instance '${id}' is running`);
  });

  it('refuses an unknown instance', async () => {
    await using simulation = await startSimulation();

    const failing = simulation.simulator.fail('i-0123456789abcdef0', volumeLimit);

    await expect(failing).rejects.toThrow("The instance ID 'i-0123456789abcdef0' does not exist");
  });
});
