import { FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { isLaunched } from '../../shared/core/record.ts';
import { describedStatus } from '../../shared/core/resource.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { type InstanceState, instanceStateOf, vmKind } from '../../shared/service-types/vm/kind.ts';
import type { InstanceActions } from '../../shared/service-types/vm/ports.ts';
import type { LaunchedVmRecord, VmRecords } from '../../shared/service-types/vm/record.ts';
import { type VmResource, vmResource } from '../../shared/service-types/vm/resource.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { aboutResource } from './check-resource.ts';
import { isNotFound, ownershipOf } from './read-resources.ts';

export type Change = 'start' | 'stop' | 'reboot';

type Rule = {
  /** The states in which EC2 accepts the change. */
  readonly from: readonly InstanceState[];
  /** The states in which the change is made already. */
  readonly already: readonly InstanceState[];
  /** The state that follows; undefined: the state stays. */
  readonly becomes: InstanceState | undefined;
};

const rules = {
  start: { from: ['stopped'], already: ['pending', 'running'], becomes: 'pending' },
  stop: { from: ['running'], already: ['stopping', 'stopped'], becomes: 'stopping' },
  reboot: { from: ['running'], already: [], becomes: undefined },
} as const satisfies Record<Change, Rule>;

type Parts = {
  readonly records: Pick<VmRecords, 'read'>;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  /** Whether what the record names still is the VM. @throws FailedPreconditionError where it must not be changed. */
  readonly isStillTheVm: (record: LaunchedVmRecord) => Promise<boolean>;
  /** @throws FailedPreconditionError for an adopted VM, where the settings do not allow changing it. */
  readonly refuseAdopted: (record: LaunchedVmRecord) => void;
  readonly actions: Pick<InstanceActions, Change>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Starts, stops or reboots a VM. EC2 is not asked where the change is made already.
 * @throws NotFoundError; FailedPreconditionError where the VM's state does not allow the change, or the VM is adopted.
 */
export const changeVm = (parts: Parts) => {
  const { records, resourceStore, isStillTheVm, refuseAdopted, actions, observations, now, log } = parts;

  return async (dcmId: string, change: Change, requestId: string): Promise<VmResource> => {
    const { record, held } = await changeable(dcmId, change);
    const { from, already, becomes }: Rule = rules[change];
    const state = stateOf(held);
    if (already.includes(state)) return vmResource(record, held, now());
    if (!from.includes(state)) throw refusal(dcmId, change, `is ${state}`);
    if (!(await isStillTheVm(record))) throw new NotFoundError(`VM ${dcmId} does not exist any more`);
    await actions[change](targetOfKey(record.region), record.resourceId);
    if (becomes === undefined) return vmResource(record, held, now());
    await announce(record, becomes, requestId);
    return vmResource(record, inState(becomes, held, record, now()), now());
  };

  async function changeable(dcmId: string, change: Change) {
    const record = await records.read(dcmId);
    if (!record) throw new NotFoundError(`there is no VM ${dcmId}`);
    if (!isLaunched(record)) throw refusal(dcmId, change, 'has not been launched yet');
    const held = await ownershipOf(resourceStore, record);
    if (isNotFound(record, held, now())) throw new NotFoundError(`VM ${dcmId} does not exist any more`);
    if (record.deleteRequestedAtMs !== undefined) throw refusal(dcmId, change, 'is being deleted');
    refuseAdopted(record);
    return { record, held };
  }

  /** Best effort: an event of EC2 or a listing reports the same state. */
  async function announce(record: LaunchedVmRecord, state: InstanceState, requestId: string): Promise<void> {
    const about = { ...aboutResource(record, requestId), at: listingTime(now()) };
    await observations.send([instanceObservedEvent({ ...about, state })]).catch((error: unknown) =>
      log.warn('the observation of a change was not queued; an event of EC2 will report it', {
        ...{ dcmId: record.dcmId, error },
      }),
    );
  }
};

const refusal = (dcmId: string, change: Change, why: string) =>
  new FailedPreconditionError(`cannot ${change} VM ${dcmId}: it ${why}`);

/** A VM without any observation was launched moments ago. */
const stateOf = (held: Ownership): InstanceState =>
  instanceStateOf((held.owner === 'ours' ? held.vm.state : undefined) ?? 'pending').state;

/** What the resource store will hold once the normaliser has recorded this state. */
const inState = (
  state: InstanceState,
  held: Ownership,
  { resourceId, region: key, account }: LaunchedVmRecord,
  nowMs: number,
): Ownership => {
  if (held.owner !== 'ours') return held;
  const { region } = targetOfKey(key);
  const at = Math.floor(nowMs / 1000);
  const observed = { kind: 'observation', resourceId, region, account, at, state, seenBy: 'api' } as const;
  const latest = { ...describedStatus(vmKind, observed), id: 'not recorded' };
  return { owner: 'ours', vm: { ...held.vm, latest } };
};
