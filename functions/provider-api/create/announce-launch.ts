import type { LaunchedRecord } from '../../../shared/domain/vm-record.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Fleet } from '../../../shared/ports/fleet.ts';
import type { Log } from '../../../shared/ports/log.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import { instanceObservedEvent } from '../../../shared/wire/instance-observed.ts';
import { statusWantedEvent } from '../../../shared/wire/status-wanted.ts';
import { aboutInstance } from '../about-instance.ts';
import { within } from '../within.ts';

/** The caller waits. */
const patienceMs = 750;
/** By then DCM has written down what we answered; what it was told before that, it has dropped. */
const repeatAfterSeconds = 5;

export type AnnouncementParts = {
  readonly fleet: Pick<Fleet, 'claim'>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Makes a launched instance ours in the fleet, and tells the normaliser of it. Idempotent, and never fails: an answer that there is no VM
 * would be wrong, and what is left undone here the instance's tags and its events make up for.
 */
export const announceLaunch = ({ fleet, observations, now, log }: AnnouncementParts) => {
  const tried = async (what: string, vmId: string, done: Promise<void>) => {
    await within(patienceMs, 'whoever remembers it', done).catch((error: unknown) =>
      log.warn(`a launched VM could not be ${what}`, { vmId, error }),
    );
  };

  const wantStatus = ({ instanceId, region, account, vmId }: LaunchedRecord) => {
    const wanted = { 'instance-id': instanceId, region, account, at: Math.floor(now() / 1000) };
    return tried(
      'told of once more',
      vmId,
      observations.send([statusWantedEvent(wanted)], repeatAfterSeconds),
    );
  };

  const announce = async (record: LaunchedRecord, requestId: string): Promise<void> => {
    const { vmId, instanceId, region, account, facts } = record;
    const { privateAddress, getsPublicAddress, isWindows } = facts;
    const addresses = { privateAddress, getsPublicAddress, isWindows };
    await tried('claimed', vmId, fleet.claim({ instanceId, vmId, region, account, ...addresses }));
    const at = Math.floor(facts.launchedAtMs / 1000);
    const pending = {
      ...aboutInstance(record, requestId),
      ...{ at, state: 'pending' as const, privateAddress, isWindows },
    };
    await Promise.all([
      tried('told of', vmId, observations.send([instanceObservedEvent(pending)])),
      wantStatus(record),
    ]);
  };

  return { announce, wantStatus };
};
