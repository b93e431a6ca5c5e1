import { TooYoungError, UnavailableError } from '../../shared/domain/errors.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import { addressProblem } from '../../shared/domain/vm-id.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import { type AdoptionParts, adoptInstance } from './adopt-instance.ts';
import type { Evidence, Verdict } from './decide-owner.ts';
import { addressesIn } from './described-state.ts';
import type { Lane } from './lanes.ts';
import { type MoveParts, moveInstance } from './move-instance.ts';

/** A VM of ours. */
export type Enacted = {
  readonly lane: Lane;
  readonly vm: Vm;
  /** It became ours just now, and events of it may have been dropped until then. */
  readonly isClaimed: boolean;
};

export type EnactmentParts = AdoptionParts &
  MoveParts & {
    readonly fleet: Fleet;
    readonly now: Clock;
    readonly meter: Meter;
    readonly log: Log;
  };

/**
 * Makes the fleet remember whose an instance is; what is ours goes on to be recorded.
 * @throws TooYoungError, UnavailableError where that cannot be told yet.
 */
export const enactVerdict = (parts: EnactmentParts) => {
  const { fleet, meter, log } = parts;
  const adopt = adoptInstance(parts);
  const move = moveInstance(parts);

  const ours = async (
    lane: Lane,
    { vmId, claim }: VerdictOf<'us'>,
    evidence: Evidence,
  ): Promise<Enacted[]> => {
    const { instanceId, region, account } = lane;
    const { remembered } = evidence;
    const former = remembered.owner === 'us' ? remembered.vm : undefined;
    if (former && !claim) return [{ lane, vm: former, isClaimed: false }];
    if (!(await adopt(lane, vmId, evidence))) return duplicate(lane, vmId, evidence);
    warnWhereUnaddressable(lane, vmId);
    if (former) {
      const vm = await move(instanceId, { vmId, at: changedAt(evidence) });
      return vm ? [{ lane, vm, isClaimed: true }] : [];
    }
    const addresses = addressesIn(evidence.described, 'running');
    await fleet.claim({ instanceId, vmId, region, account, ...addresses });
    meter.count('claimed');
    const blank: Vm = { instanceId, vmId, region, account, sequence: 0, outbox: [], history: [] };
    return [{ lane, vm: { ...blank, ...addresses }, isClaimed: true }];
  };

  const warnWhereUnaddressable = ({ instanceId, region }: Lane, vmId: string): void => {
    const reason = addressProblem(vmId);
    if (reason === undefined) return;
    meter.count('unaddressable');
    log.warn('the tags of an instance hold a DCM id that the API does not take; it is reported', {
      ...{ vmId, instanceId, region, reason },
    });
  };

  const duplicate = async ({ instanceId }: Lane, vmId: string, evidence: Evidence) => {
    if (evidence.remembered.owner === 'us')
      await move(instanceId, { vmId: undefined, at: changedAt(evidence) });
    await fleet.disclaim([instanceId], vmId);
    return [];
  };

  const others = async ({ instanceId }: Lane, { forSure }: VerdictOf<'others'>, { remembered }: Evidence) => {
    meter.count('foreign');
    if (forSure && remembered.owner === 'unknown') await fleet.disclaim([instanceId]);
    return [];
  };

  const nobody = async ({ instanceId, region }: Lane) => {
    await fleet.release(instanceId);
    meter.count('released');
    log.warn('our tags were taken off an instance; it is not reported any more', { instanceId, region });
    return [];
  };

  const undecided = ({ instanceId }: Lane, { described }: Evidence): never => {
    meter.count('tooYoung');
    throw described === undefined
      ? new UnavailableError(`EC2 did not say whose ${instanceId} is`)
      : new TooYoungError(`${instanceId} was launched moments ago and has no tags yet`);
  };

  return async (lane: Lane, verdict: Verdict, evidence: Evidence): Promise<Enacted[]> => {
    if (verdict.owner === 'us') return ours(lane, verdict, evidence);
    if (verdict.owner === 'others') return others(lane, verdict, evidence);
    return verdict.owner === 'nobody' ? nobody(lane) : undecided(lane, evidence);
  };
};

/** When the tags were changed, in seconds since 1970; the same each time the message comes. */
const changedAt = ({ tagChange, seenAtMs }: Evidence): number => tagChange?.at ?? Math.floor(seenAtMs / 1000);

type VerdictOf<Owner extends Verdict['owner']> = Extract<Verdict, { owner: Owner }>;
