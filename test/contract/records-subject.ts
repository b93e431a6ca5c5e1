import type { VmRecord } from '../../shared/core/record.ts';
import type { Beginning, LaunchedVm, VmRecords } from '../../shared/ports/records.ts';
import { vmFacts } from '../fixtures/launches.ts';
import { halfPastTen } from '../fixtures/resource-messages.ts';

/** Makes VmRecords; given the clock, in milliseconds. */
export type MakeVmRecords = (now: () => number) => Promise<VmRecords>;

export const leaseMs = 12_000;
let ids = 0;

/** Records for each test, and an id and a region that no other test has. */
export const vmRecordsSubject = (make: MakeVmRecords) => async () => {
  ids += 1;
  const vmId = `vm-${ids}`;
  const region = `us-test-${ids}`;
  const clock = { ms: halfPastTen * 1000 };
  const records = await make(() => clock.ms);

  const begin = (more: Partial<Beginning> = {}) => records.begin({ vmId, region, leaseMs, ...more });
  const begun = async (more: Partial<Beginning> = {}): Promise<VmRecord> => {
    const { outcome, record } = await begin(more);
    if (outcome !== 'begun') throw new Error(`expected ${record.vmId} to be begun`);
    return record;
  };
  const vm = (instance: number, more: Partial<LaunchedVm> = {}): LaunchedVm => ({
    vmId,
    region,
    instanceId: `i-${String(instance).padStart(17, '0')}`,
    account: '123456789012',
    facts: vmFacts(),
    ...more,
  });
  /** A VM with an instance. */
  const launched = async (id = vmId) => {
    const instance = vm(1, { vmId: id });
    const record = await records.launched(await begun({ vmId: id }), instance);
    if (!record?.instanceId || !record.account || !record.facts)
      throw new Error(`expected ${id} to have an instance`);
    const { instanceId, account, facts } = record;
    return { ...record, instanceId, account, facts };
  };
  return { records, clock, vmId, region, begin, begun, vm, launched };
};
