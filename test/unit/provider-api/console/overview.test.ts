import { expect, it } from 'vitest';
import { overviewType, readOverview } from '../../../../functions/provider-api/console/overview.ts';
import { vmRecords } from '../../../../shared/service-types/vm/record.ts';
import { memoryVmRecords } from '../../../fakes/memory-records.ts';
import { memoryResourceStore } from '../../../fakes/memory-resource-store.ts';
import { memoryLog } from '../../../fakes/silent.ts';
import { vmFacts } from '../../../fixtures/launches.ts';

it('the overview names targets, and those of resources, as paths do', async () => {
  const now = () => vmFacts().launchedAtMs;
  const records = memoryVmRecords(now);
  const account = '222222222222';
  const targets = [{ region: 'us-east-1' }, { region: 'us-east-1', account, alias: 'prod' }] as const;
  for (const [dcmId, region, of] of [
    ['vm-home', 'us-east-1', '123456789012'],
    ['vm-prod', `${account}/us-east-1`, account],
  ] as const)
    await records.adopt({ dcmId, region, account: of, resourceId: `i-of-${dcmId}`, facts: vmFacts() });

  const read = readOverview({
    listed: targets.map((target) => ({ target, serviceType: 'vm', mode: 'streaming' })),
    types: [overviewType(vmRecords, records, () => undefined)],
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
    ...{ provider: 'ec2-sp', version: '1.0.0', now, log: memoryLog() },
  });
  const found = await read(10, () => true);

  expect(found.targets.map(({ name, path }) => [name, path])).toEqual([
    ['us-east-1', '/us-east-1'],
    ['prod/us-east-1', '/prod/us-east-1'],
  ]);
  expect(Object.fromEntries(found.resources.map(({ dcmId, target }) => [dcmId, target]))).toEqual({
    'vm-home': 'us-east-1',
    'vm-prod': 'prod/us-east-1',
  });
});
