import { CreateTagsCommand, DeleteTagsCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { eventKindOf } from '../../../../shared/service-types/events.ts';
import { identity } from '../../../fixtures/resource-messages.ts';
import { startSimulation } from './simulation.ts';

const clock = () => Date.parse('2026-08-22T10:30:00.789Z');
const pendingForLong = { clock, dwellMs: { pending: 60_000 } };

describe('EC2 simulator, its events', () => {
  it('emits a state change in the form that AWS documents', async () => {
    await using simulation = await startSimulation(pendingForLong);

    const id = await simulation.launch();

    const [event] = simulation.events;
    expect(JSON.stringify(event)).toBe(
      `{"version":"0","id":"${event?.id}","detail-type":"EC2 Instance State-change Notification","source":"aws.ec2",` +
        '"account":"123456789012","time":"2026-08-22T10:30:00Z","region":"us-east-1",' +
        `"resources":["arn:aws:ec2:us-east-1:123456789012:instance/${id}"],` +
        `"detail":{"instance-id":"${id}","state":"pending"}}`,
    );
  });

  it('emits tag changes at launch, on change and on removal', async () => {
    await using simulation = await startSimulation(pendingForLong);
    const { client, events, launch } = simulation;
    const Tags = [{ Key: 'a', Value: '1' }];

    const id = await launch({ TagSpecifications: [{ ResourceType: 'instance', Tags }] });
    await client.send(new CreateTagsCommand({ Resources: [id], Tags: [...Tags, { Key: 'b', Value: '2' }] }));
    await client.send(new CreateTagsCommand({ Resources: [id], Tags }));
    await client.send(new DeleteTagsCommand({ Resources: [id] }));

    const told = events.filter(({ source }) => source === 'aws.tag');
    const kind = { service: 'ec2', 'resource-type': 'instance' };
    expect(told.map(({ detail }) => detail)).toEqual([
      { 'changed-tag-keys': ['a'], tags: { a: '1' }, ...kind, version: 1 },
      { 'changed-tag-keys': ['b'], tags: { a: '1', b: '2' }, ...kind, version: 2 },
      { 'changed-tag-keys': ['a', 'b'], tags: {}, ...kind, version: 3 },
    ]);
    expect(told[0]).toMatchObject({
      'detail-type': 'Tag Change on Resource',
      resources: [`arn:aws:ec2:us-east-1:123456789012:instance/${id}`],
    });
  });

  it('emits no tag change for a launch without tags', async () => {
    await using simulation = await startSimulation(pendingForLong);

    await simulation.launch();

    expect(simulation.events.map(({ source }) => source)).toEqual(['aws.ec2']);
  });

  it('warns of an interruption by an ARN with the zone and no account', async () => {
    await using simulation = await startSimulation(pendingForLong);
    const id = await simulation.launch();

    await simulation.simulator.interruptSpot(id, { action: 'hibernate' });

    expect(simulation.events.at(-1)).toMatchObject({
      'detail-type': 'EC2 Spot Instance Interruption Warning',
      resources: [`arn:aws:ec2:us-east-1a:instance/${id}`],
      detail: { 'instance-id': id, 'instance-action': 'hibernate' },
    });
  });

  it("emits AWS Health's event of a scheduled retirement", async () => {
    await using simulation = await startSimulation(pendingForLong);
    const id = await simulation.launch();

    await simulation.simulator.scheduleRetirement(id);

    expect(simulation.events.at(-1)).toMatchObject({
      source: 'aws.health',
      'detail-type': 'AWS Health Event',
      detail: {
        service: 'EC2',
        eventTypeCode: 'AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED',
        eventTypeCategory: 'scheduledChange',
        startTime: 'Sat, 05 Sep 2026 10:30:00 GMT',
        affectedEntities: [{ entityValue: id }],
      },
    });
  });

  it("emits AWS Health's event of a retirement that is over", async () => {
    await using simulation = await startSimulation(pendingForLong);
    const id = await simulation.launch();
    await simulation.simulator.scheduleRetirement(id);

    await simulation.simulator.cancelRetirement(id);

    expect(simulation.events.at(-1)?.detail).toMatchObject({
      startTime: 'Sat, 05 Sep 2026 10:30:00 GMT',
      statusCode: 'closed',
      affectedEntities: [{ entityValue: id, status: 'RESOLVED' }],
    });
  });

  it('emits only events that the normaliser can read', async () => {
    await using simulation = await startSimulation({ ...pendingForLong, account: '210987654321' });
    const { events, launch, simulator } = simulation;
    const Tags = [{ Key: 'a', Value: '1' }];

    const id = await launch({ TagSpecifications: [{ ResourceType: 'instance', Tags }] });
    await simulator.interruptSpot(id);
    await simulator.recommendRebalance(id);
    await simulator.scheduleRetirement(id);

    const signals = events.flatMap((event) => eventKindOf(event)?.toMessages(event, identity) ?? []);
    expect(signals.map(({ kind }) => kind)).toEqual([
      'observation',
      'tag-change',
      'notice',
      'notice',
      'notice',
    ]);
    expect(
      new Set(signals.map(({ resourceId: instanceId, account }) => `${account} ${instanceId}`)).size,
    ).toBe(1);
  });
});
