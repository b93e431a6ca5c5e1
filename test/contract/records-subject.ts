import type { ResourceRecord } from '../../shared/core/record.ts';
import type { Beginning, LaunchedResource, Records } from '../../shared/ports/records.ts';
import { vmFacts } from '../fixtures/launches.ts';
import { halfPastTen } from '../fixtures/resource-messages.ts';

/** Makes VmRecords; given the clock, in milliseconds. */
export type MakeVmRecords = (now: () => number) => Promise<Records>;

export const leaseMs = 12_000;
let ids = 0;

/** Records for each test, and an id and a region that no other test has. */
export const vmRecordsSubject = (make: MakeVmRecords) => async () => {
  ids += 1;
  const dcmId = `vm-${ids}`;
  const region = `us-test-${ids}`;
  const clock = { ms: halfPastTen * 1000 };
  const records = await make(() => clock.ms);

  const begin = (more: Partial<Beginning> = {}) => records.begin({ dcmId, region, leaseMs, ...more });
  const begun = async (more: Partial<Beginning> = {}): Promise<ResourceRecord> => {
    const { outcome, record } = await begin(more);
    if (outcome !== 'begun') throw new Error(`expected ${record.dcmId} to be begun`);
    return record;
  };
  const vm = (instance: number, more: Partial<LaunchedResource> = {}): LaunchedResource => ({
    dcmId,
    region,
    resourceId: `i-${String(instance).padStart(17, '0')}`,
    account: '123456789012',
    facts: vmFacts(),
    ...more,
  });
  /** A VM with an instance. */
  const launched = async (id = dcmId) => {
    const instance = vm(1, { dcmId: id });
    const record = await records.launched(await begun({ dcmId: id }), instance);
    if (!record?.resourceId || !record.account || !record.facts)
      throw new Error(`expected ${id} to have an instance`);
    const { resourceId, account, facts } = record;
    return { ...record, resourceId, account, facts };
  };
  return { records, clock, dcmId, region, begin, begun, vm, launched };
};
