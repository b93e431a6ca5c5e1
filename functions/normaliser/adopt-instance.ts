import { hasEnded, isLaunched, type LaunchedRecord } from '../../shared/domain/vm-record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { LaunchedVm, VmRecords } from '../../shared/ports/vm-records.ts';
import { isLaunchedByUs } from '../../shared/service-types/vm/launch-origin.ts';
import type { Evidence } from './decide-owner.ts';
import type { Lane } from './lanes.ts';

export type AdoptionParts = {
  readonly records?: Pick<VmRecords, 'read' | 'adopt' | 'end'> | undefined;
  readonly fleet: Pick<Fleet, 'recall'>;
  readonly provider: string;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/**
 * Notes, before an instance is claimed, that it is the VM with this DCM id. False where another instance is, and lives: DCM must not
 * hear of two instances under one id.
 */
export const adoptInstance =
  ({ records, fleet, provider, now, meter, log }: AdoptionParts) =>
  async (lane: Lane, vmId: string, evidence: Evidence): Promise<boolean> => {
    if (!records) return true;
    const { instanceId } = lane;
    const vm = { ...launchedVm(lane, vmId, evidence), adopted: adoptedOf(vmId, evidence) };
    if ((await records.adopt(vm)) !== 'another') return true;

    const other = await records.read(vmId);
    if (other && isLaunched(other) && (await isGone(other))) {
      await records.end(vmId, other.instanceId);
      if ((await records.adopt(vm)) !== 'another') return true;
    }
    meter.count('duplicateOwner');
    log.error('two instances carry one DCM id; the second is not reported', {
      vmId,
      instanceId: other?.instanceId,
      duplicate: instanceId,
    });
    return false;

    /** Undefined where EC2 did not describe the instance. */
    function adoptedOf(id: string, { described }: Evidence): boolean | undefined {
      if (described === undefined || described === 'absent') return undefined;
      return !isLaunchedByUs(provider, { vmId: id }, described.clientToken);
    }

    async function isGone(record: LaunchedRecord): Promise<boolean> {
      const held = (await fleet.recall([record.instanceId])).get(record.instanceId);
      return hasEnded(record, held ?? { owner: 'unknown' }, now());
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
