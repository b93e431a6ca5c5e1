import { describe, expect, it } from 'vitest';
import { overviewType, readOverview } from '../../../../functions/provider-api/console/overview.ts';
import { NotFoundError, UnavailableError } from '../../../../shared/core/errors.ts';
import type { Resource } from '../../../../shared/core/resource.ts';
import type { ListingStatus } from '../../../../shared/ports/listings.ts';
import type { Ownership } from '../../../../shared/ports/resource-store.ts';
import { vmKind } from '../../../../shared/service-types/vm/kind.ts';
import { vmRecords } from '../../../../shared/service-types/vm/record.ts';
import { memoryVmRecords } from '../../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../../fakes/memory-resource-store.ts';
import { memoryLog } from '../../../fakes/silent.ts';
import { vmFacts } from '../../../fixtures/launches.ts';

const account = '222222222222';
const home = { region: 'us-east-1' } as const;
const prod = { region: 'us-east-1', account, alias: 'prod' } as const;

type Parts = Parameters<typeof readOverview>[0];

/** The overview of VMs in two accounts. */
const overviewOf = (change: Partial<Parts> = {}) => {
  const now = () => vmFacts().launchedAtMs;
  const records = memoryVmRecords(now);
  const log = memoryLog();
  const adopt = (dcmId: string, more: Partial<Parameters<typeof records.adopt>[0]> = {}) =>
    records.adopt({
      ...{
        dcmId,
        region: 'us-east-1',
        account: '123456789012',
        resourceId: `i-of-${dcmId}`,
        facts: vmFacts(),
      },
      ...more,
    });
  const read = readOverview({
    listed: [home, prod].map((target) => ({
      target,
      serviceType: 'vm' as const,
      mode: 'streaming' as const,
    })),
    types: [overviewType(vmRecords, records, ({ instanceType }) => instanceType)],
    resourceStore: memoryResourceStore(),
    listings: { status: async () => [] },
    registrations: { read: async () => new Map() },
    checkHealth: async () => ({
      ...{ status: 'healthy', type: 'ec2-sp.dcm.io/health', path: 'health' },
      ...{ version: '1.0.0', uptime: 1 },
    }),
    feed: { read: async () => ({ changes: [], next: 'c0', movedAtMs: 0, complete: true }) },
    inventory: undefined,
    providerNameOf: () => 'ec2-sp',
    ...{ provider: 'ec2-sp', version: '1.0.0', now, log },
    ...change,
  });
  return { adopt, read, log };
};

const all = () => true;

const launchedAt = vmFacts().launchedAtMs / 1000;

/** A store that holds VMs with these statuses, each a second newer than the one before. */
const storeWith = (statuses: Readonly<Record<string, readonly [string, string]>>): Parts['resourceStore'] => {
  const held = Object.entries(statuses).map(([dcmId, [status, message]], index) => {
    const at = launchedAt + index;
    const latest = { id: dcmId, key: `${at}0`, at, status, message };
    const vm: Resource = {
      ...{ kind: vmKind, resourceId: `i-of-${dcmId}`, dcmId, region: 'us-east-1', account: '123456789012' },
      ...{ sequence: at * 10, state: 'running', latest, outbox: [], history: [latest] },
    };
    return [vm.resourceId, { owner: 'ours', vm }] as const;
  });
  return { read: async () => new Map<string, Ownership>(held) };
};

describe('the overview', () => {
  it('names targets, and those of resources, as paths do', async () => {
    const { adopt, read } = overviewOf();
    await adopt('vm-home');
    await adopt('vm-prod', { region: `${account}/us-east-1`, account });
    const found = await read(10, all);

    expect(found.targets.map(({ name, path }) => [name, path])).toEqual([
      ['us-east-1', '/us-east-1'],
      ['prod/us-east-1', '/prod/us-east-1'],
    ]);
    expect(Object.fromEntries(found.resources.map(({ dcmId, target }) => [dcmId, target]))).toEqual({
      'vm-home': 'us-east-1',
      'vm-prod': 'prod/us-east-1',
    });
  });

  it('has what needs attention first, then what changed last, up to the rows asked for', async () => {
    const { adopt, read } = overviewOf({
      resourceStore: storeWith({
        broken: ['FAILED', 'instance i-1 is terminated: Server.InternalError'],
        impaired: ['RUNNING', 'instance i-2 is running: impaired: system check'],
        old: ['RUNNING', 'instance i-3 is running'],
        new: ['STOPPED', 'instance i-4 is stopped: Client.UserInitiatedShutdown'],
      }),
    });
    for (const dcmId of ['old', 'new', 'broken', 'impaired']) await adopt(dcmId);
    const namesIn = async (rows: number) => (await read(rows, all)).resources.map(({ dcmId }) => dcmId);

    expect(await namesIn(10)).toEqual(['impaired', 'broken', 'new', 'old']);
    expect(await namesIn(3)).toEqual(['impaired', 'broken', 'new']);
    expect(await namesIn(1)).toEqual(['impaired', 'broken']); // all that need attention, in any case
  });

  it('counts all resources by status, and reads none of them for no rows', async () => {
    const running = ['RUNNING', 'instance is running'] as const;
    const { adopt, read } = overviewOf({
      resourceStore: storeWith({ a: running, b: running, c: ['STOPPED', 'instance is stopped'] }),
    });
    for (const dcmId of ['a', 'b', 'c']) await adopt(dcmId);

    expect(await read(1, all)).toMatchObject({
      countsAreComplete: true,
      counts: expect.arrayContaining([
        { serviceType: 'vm', status: 'RUNNING', count: 2 },
        { serviceType: 'vm', status: 'STOPPED', count: 1 },
      ]),
    });
    expect(await read(0, all)).toMatchObject({ counts: [], countsAreComplete: false, resources: [] });
  });

  it('has the labels of a resource, and its size', async () => {
    const { adopt, read } = overviewOf();
    await adopt('web', { facts: vmFacts({ labels: { team: 'a' }, instanceType: 't3.micro' }) });
    await adopt('bare');
    const { resources } = await read(10, all);

    expect(resources.find(({ dcmId }) => dcmId === 'web')).toMatchObject({
      labels: { team: 'a' },
      size: 't3.micro',
    });
    expect(resources.find(({ dcmId }) => dcmId === 'bare')).not.toHaveProperty('labels');
  });

  it('has only the targets that the credentials open, and says where they permit changes', async () => {
    const { adopt, read } = overviewOf();
    await adopt('vm-home');
    await adopt('vm-prod', { region: `${account}/us-east-1`, account });
    const ofHome = await read(10, ({ target }) => target?.alias === undefined);
    const reading = await read(10, ({ isWrite }) => isWrite !== true);

    expect(ofHome.targets.map(({ name, mayWrite }) => [name, mayWrite])).toEqual([['us-east-1', true]]);
    expect(ofHome.resources.map(({ dcmId }) => dcmId)).toEqual(['vm-home']);
    expect(reading.targets.map(({ mayWrite }) => mayWrite)).toEqual([false, false]);
    expect(reading.resources).toHaveLength(2);
  });

  it('says what listings healed, of targets that stream alone', async () => {
    const status = (target: ListingStatus['target']): ListingStatus => ({
      ...{ target, listedAtMs: 2_000, intervalSeconds: 60, instances: 5, healed: 3, healedAtMs: 1_000 },
      ...{ breakerSinceMs: 4_000, republicationRequestedAt: undefined },
    });
    const { read } = overviewOf({
      listed: [
        { target: home, serviceType: 'vm', mode: 'streaming' },
        { target: prod, serviceType: 'vm', mode: 'legacy' },
      ],
      listings: { status: async (targets) => targets.map(status) },
    });
    const [streaming, legacy] = (await read(0, all)).targets.map(({ listings: [listing] }) => listing);

    expect(streaming).toMatchObject({
      ...{ healed: 3, healedAt: '1970-01-01T00:00:01.000Z', resources: 5 },
      breakerSince: '1970-01-01T00:00:04.000Z',
    });
    expect(legacy).not.toHaveProperty('healed');
  });

  it('names what could not be read, and has everything else', async () => {
    const { adopt, read, log } = overviewOf({
      listings: { status: () => Promise.reject(new UnavailableError('the table did not answer')) },
      checkHealth: () => Promise.reject(new NotFoundError('nothing is created there')),
    });
    await adopt('vm-1');
    const found = await read(10, all);

    expect(found.problems).toEqual([
      'the listings of us-east-1: the table did not answer',
      'the listings of prod/us-east-1: the table did not answer',
    ]);
    expect(log.lines).toHaveLength(2);
    expect(found.targets[0]).toMatchObject({ listings: [], providers: [] });
    expect(found.resources).toHaveLength(1);
  });

  it('reads the cursor before everything else, so that no change is missed', async () => {
    const order: string[] = [];
    const { read } = overviewOf({
      feed: {
        read: async () => {
          order.push('feed');
          return { changes: [], next: 'c7', movedAtMs: 0, complete: true };
        },
      },
      listings: {
        status: async () => {
          order.push('listings');
          return [];
        },
      },
    });

    expect((await read(10, all)).cursor).toBe('c7');
    expect(order[0]).toBe('feed');
  });
});
