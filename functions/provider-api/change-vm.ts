import { FailedPreconditionError, NotFoundError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { isLaunched, type LaunchedRecord } from '../../shared/core/record.ts';
import { describedStatus } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { Recollection, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { InstanceState } from '../../shared/service-types/vm/kind.ts';
import type { InstanceActions } from '../../shared/service-types/vm/ports.ts';
import {
  isGone,
  recollectionOf,
  type VmResource,
  vmResource,
} from '../../shared/service-types/vm/resource.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { aboutInstance, adoptedRefusal, type CheckParts, checkInstance } from './check-instance.ts';

export type Change = 'start' | 'stop' | 'reboot';

type Rule = {
  /** The states in which EC2 can be asked. */
  readonly from: readonly InstanceState[];
  /** The states in which it is so already. */
  readonly already: readonly InstanceState[];
  /** What EC2 answers that it has become; undefined: no other than before. */
  readonly becomes: InstanceState | undefined;
};

const rules = {
  start: { from: ['stopped'], already: ['pending', 'running'], becomes: 'pending' },
  stop: { from: ['running'], already: ['stopping', 'stopped'], becomes: 'stopping' },
  reboot: { from: ['running'], already: [], becomes: undefined },
} as const satisfies Record<Change, Rule>;

type Parts = CheckParts & {
  readonly records: Pick<VmRecords, 'read'>;
  readonly resourceStore: Pick<ResourceStore, 'recall'>;
  readonly actions: Pick<InstanceActions, Change>;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Starts, stops or reboots a VM. Where it is so already, EC2 is not asked.
 * @throws NotFoundError; FailedPreconditionError where its state does not allow it, or it is adopted.
 */
export const changeVm = (parts: Parts) => {
  const { records, resourceStore, actions, now, changeAdopted } = parts;
  const isItsInstance = checkInstance(parts);

  return async (vmId: string, change: Change, requestId: string): Promise<VmResource> => {
    const { record, held } = await changeable(vmId, change);
    const { from, already, becomes }: Rule = rules[change];
    const state = stateOf(held);
    if (already.includes(state)) return vmResource(record, held, now());
    if (!from.includes(state)) throw refusal(vmId, change, `is ${state}`);
    if (!(await isItsInstance(record))) throw new NotFoundError(`there is no VM ${vmId} any more`);
    await actions[change](record.region, record.instanceId);
    if (becomes === undefined) return vmResource(record, held, now());
    await tell(parts, record, { becomes, requestId });
    return vmResource(record, asAnswered(held, record, becomes, now()), now());
  };

  async function changeable(vmId: string, change: Change) {
    const record = await records.read(vmId);
    if (!record) throw new NotFoundError(`there is no VM ${vmId}`);
    if (!isLaunched(record)) throw refusal(vmId, change, 'has not been launched yet');
    const held = await recollectionOf(resourceStore, record);
    if (isGone(record, held, now())) throw new NotFoundError(`there is no VM ${vmId} any more`);
    if (record.deleteRequestedAtMs !== undefined) throw refusal(vmId, change, 'is being deleted');
    if (record.adopted && !changeAdopted) throw adoptedRefusal(record);
    return { record, held };
  }
};

const refusal = (vmId: string, change: Change, why: string) =>
  new FailedPreconditionError(`cannot ${change} VM ${vmId}: it ${why}`);

/** A VM of which nothing was seen yet was launched moments ago. */
const stateOf = (held: Recollection): InstanceState =>
  (held.owner === 'us' ? held.vm.state : undefined) ?? 'pending';

/** What is held, once the normaliser has heard what EC2 answered. */
const asAnswered = (
  held: Recollection,
  { instanceId, region, account }: LaunchedRecord,
  state: InstanceState,
  nowMs: number,
): Recollection => {
  if (held.owner !== 'us') return held;
  const at = Math.floor(nowMs / 1000);
  const answered = { kind: 'observation', instanceId, region, account, at, state, seenBy: 'api' } as const;
  const latest = { ...describedStatus(answered), id: 'not recorded' };
  return { owner: 'us', vm: { ...held.vm, latest } };
};

/** Best effort: EC2 tells it as well, or a listing does. */
const tell = async (
  { observations, now, log }: Parts,
  record: LaunchedRecord,
  { becomes, requestId }: { readonly becomes: InstanceState; readonly requestId: string },
): Promise<void> => {
  const about = { ...aboutInstance(record, requestId), at: listingTime(now()) };
  const observed = instanceObservedEvent({ ...about, state: becomes });
  await observations
    .send([observed])
    .catch((error: unknown) =>
      log.warn('the normaliser was not told of a change; EC2 tells it', { vmId: record.vmId, error }),
    );
};
