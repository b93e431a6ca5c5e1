import { applyMessages } from '../../../functions/inventory/apply-messages.ts';
import { readMessage } from '../../../functions/inventory/read-message.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';
import { Collection, type ListedEntry, type Place } from '../../../shared/core/inventory/entry.ts';
import type { Change } from '../../../shared/ports/change-feed.ts';
import { instanceEntry } from '../../../shared/service-types/vm/inventory.ts';
import { memoryInventory } from '../../fakes/memory-inventory.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';

const home = '123456789012';
export const other = '222222222222';
export const place: Place = { target: { region: 'us-east-1' }, collection: 'instances' };
export const startedAtMs = Date.parse('2026-03-01T10:00:00Z');

export const instanceId = (n: number): string => `i-${String(n).padStart(17, '0')}`;

export const shown = (n: number, state: 'pending' | 'running' | 'stopped' = 'running'): ListedEntry => {
  const entry = instanceEntry({
    ...{ InstanceId: instanceId(n), VpcId: 'vpc-1', State: { Name: state, Code: 16 } },
    Tags: [{ Key: 'Name', Value: `vm ${n}` }],
  });
  if (entry === undefined) throw new Error('expected an entry');
  return entry;
};

/** The inventory function with an inventory in memory, and EC2 as a map. */
export const inventoryWorld = () => {
  const clock = { ms: startedAtMs + 60_000 };
  const fed: Change[] = [];
  const described: (readonly string[])[] = [];
  const ec2 = new Map<string, ListedEntry>();
  const compacted: Place[] = [];
  const meter = countingMeter();
  const log = memoryLog();
  const world = { isFeedDown: false, failingAccount: '' };
  const inventory = memoryInventory({
    append: async (changes) => {
      if (world.isFeedDown) throw new Error('the feed is down');
      fed.push(...changes);
    },
  });
  const read = readMessage({
    targets: [{ region: 'us-east-1' }, { region: 'us-east-1', account: other }],
    collections: new Set(Collection.options),
    ...{ homeAccount: home, log, meter },
  });
  const apply = applyMessages({
    ...{ reader: inventory, writer: inventory, log, meter, now: () => clock.ms },
    maintenance: { compact: async (of) => void compacted.push(of) },
    instances: {
      describeInstances: async ({ account }, ids) => {
        described.push(ids);
        if (account === world.failingAccount) throw new UnavailableError('EC2 does not answer there');
        return new Map([...ec2].filter(([id]) => ids.includes(id)));
      },
    },
  });
  const deliver = (bodies: readonly object[]) =>
    apply(
      bodies.map((body, index) => ({
        ...{ messageId: String(index), resourceMessages: read(JSON.stringify(body)) },
      })),
    );
  const list = async (...entries: readonly ListedEntry[]) => {
    await inventory.observePage(place, { startedAtMs, page: 0 }, entries);
    await inventory.complete(place, { startedAtMs, pages: 1 });
    fed.length = 0;
  };
  const find = async (id: string, where = place) => (await inventory.snapshot(where))?.find(id);
  return { world, inventory, clock, fed, described, ec2, compacted, meter, log, read, deliver, list, find };
};

type Told = { readonly second?: number; readonly account?: string; readonly region?: string };

const event = (source: string, detailType: string, detail: object, told: Told, resources: string[] = []) => ({
  ...{ version: '0', id: 'e-1', source, 'detail-type': detailType, account: told.account ?? home },
  time: new Date(startedAtMs + (told.second ?? 30) * 1000).toISOString(),
  ...{ region: told.region ?? 'us-east-1', resources, detail },
});

export const stateEvent = (n: number, state: string, told: Told = {}) =>
  event('aws.ec2', 'EC2 Instance State-change Notification', { 'instance-id': instanceId(n), state }, told);

export const tagEvent = (n: number, tags: object, told: Told = {}) =>
  event('aws.tag', 'Tag Change on Resource', { service: 'ec2', 'resource-type': 'instance', tags }, told, [
    `arn:aws:ec2:us-east-1:${home}:instance/${instanceId(n)}`,
  ]);

export const taskId = (n: number): string => String(n).padStart(32, '0');

export const taskEvent = (n: number, detail: object, told: Told = {}) =>
  event(
    'aws.ecs',
    'ECS Task State Change',
    { taskArn: `arn:aws:ecs:us-east-1:${home}:task/c/${taskId(n)}`, lastStatus: 'RUNNING', ...detail },
    told,
  );
