import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { LaunchedVm, VmRecords } from '../../shared/ports/vm-records.ts';
import type { Evidence } from './decide-owner.ts';
import type { Lane } from './lanes.ts';

export type AdoptionParts = {
  readonly records?: Pick<VmRecords, 'read' | 'adopt' | 'end'> | undefined;
  readonly fleet: Pick<Fleet, 'recall'>;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Notes, before an instance is claimed, that it is the VM with this DCM id. False where another instance is, and lives: DCM must not
 * hear of two instances under one id.
 */
export const adoptInstance =
  ({ records, fleet, meter, log }: AdoptionParts) =>
  async (lane: Lane, vmId: string, evidence: Evidence): Promise<boolean> => {
    if (!records) return true;
    const { instanceId } = lane;
    const vm = launchedVm(lane, vmId, evidence);
    if ((await records.adopt(vm)) !== 'another') return true;

    const other = (await records.read(vmId))?.instanceId;
    if (other !== undefined && (await isGone(other))) {
      await records.end(vmId, other);
      if ((await records.adopt(vm)) !== 'another') return true;
    }
    meter.count('duplicateOwner');
    log.error('two instances carry one DCM id; the second is not reported', {
      vmId,
      instanceId: other,
      duplicate: instanceId,
    });
    return false;

    async function isGone(id: string): Promise<boolean> {
      const held = (await fleet.recall([id])).get(id);
      return held?.owner === 'us' && held.vm.state === 'terminated';
    }
  };

const launchedVm = (
  { instanceId, region, account }: Lane,
  vmId: string,
  { described, seenAtMs }: Evidence,
): LaunchedVm => {
  const found = described === 'absent' ? undefined : described;
  const { instanceType, imageId, zone, privateAddress, launchedAtMs = seenAtMs } = found ?? {};
  return {
    vmId,
    region,
    instanceId,
    account,
    facts: { instanceType, imageId, zone, privateAddress, launchedAtMs },
  };
};
