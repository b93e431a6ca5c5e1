import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import { hasEnded, isLaunched, type LaunchedRecord } from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { LaunchedResource } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { isLaunchedByUs } from '../../shared/service-types/vm/launch.ts';
import type { Instances } from '../../shared/service-types/vm/ports.ts';
import type { VmFacts, VmRecords } from '../../shared/service-types/vm/record.ts';
import type { MessageGroup } from './message-groups.ts';
import type { Evidence } from './ownership.ts';

export type AdoptionParts = {
  readonly records?: Pick<VmRecords, 'read' | 'adopt' | 'end'> | undefined;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly instances: Pick<Instances, 'describe'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

const describeTimeoutMs = 500;

/**
 * Notes, before an instance is claimed, that it is the VM with this DCM id, and whether we launched it. False where another instance is,
 * lives and still carries the id: DCM must not hear of two instances under one id.
 */
export const adoptInstance =
  ({ records, resourceStore, instances, provider, tagKeys, now, meter, log }: AdoptionParts) =>
  async (group: MessageGroup, dcmId: string, evidence: Evidence): Promise<boolean> => {
    if (!records) return true;
    const { resourceId } = group;
    const vm = { ...launchedVm(group, dcmId, evidence), adopted: adoptedOf(dcmId, evidence) };
    if ((await records.adopt(vm)) !== 'another') return true;

    const other = await records.read(dcmId);
    if (other && isLaunched(other) && ((await isGone(other)) || !(await stillCarriesIt(other)))) {
      await records.end(dcmId, other.resourceId);
      if ((await records.adopt(vm)) !== 'another') return true;
    }
    meter.count('duplicateOwner');
    log.error('two instances carry one DCM id; the second is not reported', {
      dcmId,
      resourceId: other?.resourceId,
      duplicate: resourceId,
    });
    return false;

    /** Undefined where neither EC2's answer nor a listing shows the instance. */
    function adoptedOf(id: string, { described, tagChange }: Evidence): boolean | undefined {
      const isDescribed = described !== undefined && described !== 'absent';
      const token = isDescribed ? (described.clientToken ?? '') : tagChange?.clientToken;
      return token === undefined ? undefined : !isLaunchedByUs(provider, { dcmId: id }, token);
    }

    /** Its own tag change may not have come yet, as when two instances swap their ids. */
    async function stillCarriesIt({ region, resourceId: id }: LaunchedRecord): Promise<boolean> {
      const seen = (await instances.describe({ region }, [id], describeTimeoutMs)).get(id);
      return seen === undefined || dcmIdOf(seen.tags, tagKeys, provider) === dcmId;
    }

    async function isGone(record: LaunchedRecord): Promise<boolean> {
      const held = (await resourceStore.read([record.resourceId])).get(record.resourceId);
      return hasEnded(record, held ?? { owner: 'unknown' }, now());
    }
  };

const launchedVm = (
  { resourceId, region, account }: MessageGroup,
  dcmId: string,
  { described, seenAtMs }: Evidence,
): LaunchedResource<VmFacts> => {
  const found = described === 'absent' ? undefined : described;
  const { instanceType, imageId, zone, privateAddress, isWindows, launchedAtMs = seenAtMs } = found ?? {};
  return {
    dcmId,
    region,
    resourceId,
    account,
    facts: { instanceType, imageId, zone, privateAddress, isWindows, launchedAtMs },
  };
};
