import type { LRUCache } from 'lru-cache';
import { TooYoungError, UnavailableError } from '../../shared/domain/errors.ts';
import type { Observation, Signal } from '../../shared/domain/signal.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import { type AdoptionParts, adoptInstance } from './adopt-instance.ts';
import type { Evidence, Verdict } from './decide-owner.ts';
import { describedState } from './described-state.ts';
import type { Lane } from './lanes.ts';

/** A VM of ours, and what is to be recorded of it. */
export type Owned = {
  readonly lane: Lane;
  readonly vm: Vm;
  readonly signals: readonly Signal[];
  /** The signal that EC2's answer was, and no message. */
  readonly answer: Observation | undefined;
  /** As EC2 described it; undefined where EC2 was not asked, did not answer or does not know it. */
  readonly described: Instance | undefined;
};

type Parts = AdoptionParts & {
  readonly fleet: Fleet;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
  /** Instances that are known, for a while, not to be ours. */
  readonly foreign: LRUCache<string, true>;
};

/**
 * Makes the fleet remember whose an instance is; what is ours goes on to be recorded.
 * @throws TooYoungError, UnavailableError where that cannot be told yet.
 */
export const enactVerdict = (parts: Parts) => {
  const { fleet, now, meter, log, foreign } = parts;
  const adopt = adoptInstance(parts);

  const ours = async (lane: Lane, { vmId, claim }: VerdictOf<'us'>, evidence: Evidence) => {
    const { instanceId, region, account } = lane;
    const { remembered, described } = evidence;
    if (claim) {
      if (!(await adopt(lane, vmId, evidence))) return duplicate(lane, vmId, evidence);
      await fleet.claim({ instanceId, vmId, region, account });
      foreign.delete(instanceId);
      meter.count('claimed');
    }
    const blank: Vm = { instanceId, vmId, region, account, sequence: 0, outbox: [], history: [] };
    const vm = remembered.owner === 'us' ? { ...remembered.vm, vmId } : blank;
    const answer = describedState(lane, vm, described, now());
    const signals = [...(answer ? [answer] : []), ...lane.signals];
    return [{ lane, vm, answer, signals, described: described === 'absent' ? undefined : described }];
  };

  const duplicate = async ({ instanceId }: Lane, vmId: string, { remembered }: Evidence) => {
    if (remembered.owner === 'us') await fleet.release(instanceId);
    await fleet.disclaim([instanceId], vmId);
    foreign.set(instanceId, true);
    return [];
  };

  const others = async ({ instanceId }: Lane, { forSure }: VerdictOf<'others'>, { remembered }: Evidence) => {
    meter.count('foreign');
    if (forSure) foreign.set(instanceId, true);
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

  return async (lane: Lane, verdict: Verdict, evidence: Evidence): Promise<Owned[]> => {
    if (verdict.owner === 'us') return ours(lane, verdict, evidence);
    if (verdict.owner === 'others') return others(lane, verdict, evidence);
    return verdict.owner === 'nobody' ? nobody(lane) : undecided(lane, evidence);
  };
};

type VerdictOf<Owner extends Verdict['owner']> = Extract<Verdict, { owner: Owner }>;
