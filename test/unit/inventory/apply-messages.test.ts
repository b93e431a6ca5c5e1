import { describe, expect, it } from 'vitest';
import { UnreadableError } from '../../../shared/core/errors.ts';
import {
  instanceId,
  inventoryWorld,
  other,
  place,
  shown,
  startedAtMs,
  stateEvent,
  tagEvent,
  taskEvent,
  taskId,
} from './world.ts';

describe('an event in the inventory', () => {
  it('of a state is applied to what is known, without a call of EC2, and announced (B3 13)', async () => {
    const { deliver, list, find, described, fed } = inventoryWorld();
    await list(shown(1));

    const failed = await deliver([stateEvent(1, 'stopped')]);

    expect(failed.size).toBe(0);
    expect(await find(instanceId(1))).toMatchObject({
      ...{ name: 'vm 1', vpcId: 'vpc-1' },
      object: { State: { Name: 'stopped', Code: 80 }, VpcId: 'vpc-1' },
    });
    expect(described).toEqual([]);
    expect(fed).toEqual([
      {
        kind: 'inventory',
        target: 'us-east-1',
        collection: 'instances',
        change: 'changed',
        id: instanceId(1),
      },
    ]);
  });

  it('of a stop and a start leaves out the address and the times that EC2 changes with them', async () => {
    const { deliver, list, find } = inventoryWorld();
    const running = shown(1);
    const launch = { LaunchTime: '2026-03-01T09:00:00Z', StateTransitionReason: '' };
    const address = { PublicIpAddress: '203.0.113.7', PublicDnsName: 'ec2-203-0-113-7.example' };
    const interfaces = {
      NetworkInterfaces: [{ Association: { PublicIp: '203.0.113.7' }, Status: 'in-use' }],
    };
    await list({ ...running, object: { ...running.object, ...launch, ...address, ...interfaces } });
    const objectAfter = async (state: string, second: number) => {
      await deliver([stateEvent(1, state, { second })]);
      return JSON.stringify((await find(instanceId(1)))?.object);
    };

    const repeated = await objectAfter('running', 10);
    const stopping = await objectAfter('stopping', 20);
    const stopped = await objectAfter('stopped', 21);
    const started = await objectAfter('pending', 30);

    expect(repeated).toContain('StateTransitionReason');
    expect(stopping).toContain('203.0.113.7');
    expect(stopping).not.toContain('StateTransitionReason');
    expect(stopped).not.toContain('203');
    expect(stopped).toContain('LaunchTime');
    expect(started).not.toContain('LaunchTime');
    expect(started).toContain('in-use');
  });

  it('of the end of an instance ends its entry', async () => {
    const { deliver, list, find, fed } = inventoryWorld();
    await list(shown(1));

    await deliver([stateEvent(1, 'terminated')]);

    expect(await find(instanceId(1))).toBeUndefined();
    expect(fed).toMatchObject([{ change: 'ended', id: instanceId(1) }]);
  });

  it('of instances that are not known has them described in one call (B3 6)', async () => {
    const { deliver, list, find, described, ec2 } = inventoryWorld();
    await list();
    for (const n of [1, 2]) ec2.set(instanceId(n), shown(n));

    await deliver([stateEvent(1, 'running'), stateEvent(2, 'running'), tagEvent(2, { Name: 'vm 2' })]);

    expect(described).toEqual([[instanceId(1), instanceId(2)]]);
    expect(await find(instanceId(1))).toMatchObject({ name: 'vm 1', object: { State: { Name: 'running' } } });
  });

  it('of states of one second ends in the last of them, in whichever order they come', async () => {
    for (const order of [
      ['pending', 'running', 'stopping'],
      ['stopping', 'pending', 'running'],
    ]) {
      const { deliver, list, find } = inventoryWorld();
      await list(shown(1, 'stopped'));
      for (const state of order) await deliver([stateEvent(1, state)]);

      expect(await find(instanceId(1))).toMatchObject({ object: { State: { Name: 'stopping' } } });
    }
  });

  it('of tags replaces tags and name', async () => {
    const { deliver, list, find } = inventoryWorld();
    await list(shown(1));

    await deliver([stateEvent(1, 'stopping'), tagEvent(1, { Name: 'other', a: 'b' })]);

    expect(await find(instanceId(1))).toMatchObject({
      ...{ name: 'other', tags: { Name: 'other', a: 'b' } },
      object: {
        State: { Name: 'stopping' },
        Tags: [
          { Key: 'Name', Value: 'other' },
          { Key: 'a', Value: 'b' },
        ],
      },
    });
  });

  it('of a task is the whole task, without the environment of its overrides, until it stops', async () => {
    const { inventory, deliver, find } = inventoryWorld();
    const containers = { ...place, collection: 'containers' as const };
    await inventory.complete(containers, { startedAtMs, pages: 0 });
    const overrides = {
      containerOverrides: [{ name: 'main', environment: [{ name: 'A', value: 'secret' }] }],
    };

    await deliver([taskEvent(1, { overrides, version: 2, group: 'service:web' })]);
    const running = await find(taskId(1), containers);
    await deliver([taskEvent(1, { lastStatus: 'STOPPED', version: 3 })]);

    expect(running).toMatchObject({ object: { group: 'service:web', lastStatus: 'RUNNING' } });
    expect(JSON.stringify(running)).not.toContain('secret');
    expect(await find(taskId(1), containers)).toBeUndefined();
  });

  it.each([
    ['another account', { account: '999999999999' }, { foreignAccount: 1 }],
    [
      'another account in another region',
      { account: '999999999999', region: 'eu-north-1' },
      { foreignAccount: 1 },
    ],
    ['another region', { region: 'eu-north-1' }, { unreportedRegion: 1 }],
    ['another region of another account', { account: other, region: 'eu-north-1' }, { unreportedRegion: 1 }],
  ])('of %s is ignored (B3 11)', async (_, more, counts) => {
    const { deliver, list, find, described, fed, meter } = inventoryWorld();
    await list(shown(1));

    await deliver([stateEvent(1, 'terminated', more)]);

    expect(await find(instanceId(1))).toBeDefined();
    expect([described, fed, meter.counts]).toEqual([[], [], counts]);
  });

  it('changes the target of its account alone', async () => {
    const { inventory, deliver, list, find } = inventoryWorld();
    const elsewhere = { ...place, target: { ...place.target, account: other } };
    await list(shown(1));
    await inventory.observePage(elsewhere, { startedAtMs, page: 0 }, [shown(1)]);
    await inventory.complete(elsewhere, { startedAtMs, pages: 1 });

    await deliver([stateEvent(1, 'terminated', { account: other })]);

    expect(await find(instanceId(1))).toBeDefined();
    expect(await find(instanceId(1), elsewhere)).toBeUndefined();
  });

  it('is announced at its next delivery where the feed did not take it', async () => {
    const { world, deliver, list, fed } = inventoryWorld();
    await list(shown(1));
    world.isFeedDown = true;
    const failed = await deliver([stateEvent(1, 'stopped')]);
    world.isFeedDown = false;

    await deliver([stateEvent(1, 'stopped')]);

    expect([...failed.keys()]).toEqual(['0']);
    expect(fed).toMatchObject([{ change: 'changed', id: instanceId(1) }]);
  });

  it('of a collection that fails does not keep another one from being processed (B3 12)', async () => {
    const { inventory, deliver, list, find } = inventoryWorld();
    await list(shown(1));
    const { change } = inventory;
    Object.assign(inventory, {
      change: async (...given: Parameters<typeof change>) => {
        if (given[0].collection === 'containers') throw new Error('throttled');
        return change(...given);
      },
    });

    const failed = await deliver([taskEvent(1, {}), stateEvent(1, 'terminated')]);

    expect(failed.has('1')).toBe(false);
    expect(await find(instanceId(1))).toBeUndefined();
  });

  it('of a target where EC2 fails makes the events of other targets wait at most twice in a row', async () => {
    const { world, clock, deliver, described, ec2, find, list } = inventoryWorld();
    await list();
    world.failingAccount = other;
    ec2.set(instanceId(1), shown(1));
    const ofFailing = () => deliver([stateEvent(9, 'running', { account: other })]);

    const failures = [await ofFailing(), await ofFailing(), await ofFailing()].map(({ size }) => size);
    const askedThere = described.length;
    await deliver([stateEvent(1, 'running')]);
    const isFound = (await find(instanceId(1))) !== undefined;
    clock.ms += 2_000;
    world.failingAccount = '';

    expect([failures, askedThere, isFound]).toEqual([[1, 1, 1], 2, true]);
    expect((await ofFailing()).size).toBe(0);
  });

  it('is unreadable where it is neither an event nor a request', () => {
    const { read } = inventoryWorld();

    for (const body of ['{}', 'no JSON', '{"compact":"eu-west-1/castles"}', JSON.stringify({ id: 1 })])
      expect(() => read(body)).toThrow(UnreadableError);
  });
});

it('a request for compaction is done for its collection', async () => {
  const { deliver, compacted } = inventoryWorld();

  await deliver([{ compact: 'us-east-1/volumes' }, { compact: 'us-east-1/volumes' }]);

  expect(compacted).toEqual([{ target: { region: 'us-east-1' }, collection: 'volumes' }]);
});
