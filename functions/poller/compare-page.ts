import { isStuck, stuckNotice } from '../../shared/core/follow-up.ts';
import { isNewerObservation, listingTime, partsOf } from '../../shared/core/gate.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import { newAddresses } from '../../shared/core/outputs.ts';
import { isNewNotice, type Resource } from '../../shared/core/resource.ts';
import { targetKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Meter } from '../../shared/ports/telemetry.ts';
import { type InstanceState, isRecentlyLaunched } from '../../shared/service-types/vm/kind.ts';
import type { Instance } from '../../shared/service-types/vm/ports.ts';
import {
  instanceNoticedEvent,
  instanceObservedEvent,
  type ListedInstance,
} from '../../shared/wire/own-messages.ts';
import type { PolledTarget } from './env.ts';

export type ComparisonParts = {
  readonly resourceStore: ResourceStore;
  readonly observations: Observations;
  readonly now: Clock;
  readonly meter: Meter;
};

/** An instance that carries our tags. */
export type ListedVm = { readonly instance: Instance; readonly dcmId: string };

type Comparison = {
  /** Differences that were queued. */
  readonly queued: number;
  /** Differences that a listing cannot prove yet; the next one compares them again. */
  readonly doubtful: number;
};

/** Compares a page with the resource store and queues the differences, which pass the normaliser's gate like events. */
export const comparePage =
  ({ resourceStore, observations, now, meter }: ComparisonParts) =>
  async ({ target, mode }: PolledTarget, vms: readonly ListedVm[]): Promise<Comparison> => {
    const stored = await resourceStore.read(vms.map(({ instance }) => instance.resourceId));
    const held = (vm: ListedVm) => stored.get(vm.instance.resourceId) ?? { owner: 'unknown' as const };
    const compared = vms.map((vm) => ({ vm, finding: findingOf(vm, held(vm), mode, now()) }));
    const found = (...findings: Finding[]) =>
      compared.filter(({ finding }) => findings.includes(finding)).map(({ vm }) => vm);

    const [observed, stuck] = [found('new', 'readdressed'), found('stuck')];
    const at = listingTime(now());
    await observations.send(
      observed.map((vm) => instanceObservedEvent(listedInstance(vm, held(vm), target.region, at))),
    );
    for (const { instance } of found('new')) meter.healed(targetKey(target), instance.state);
    await observations.send(
      stuck.flatMap(({ instance }) => {
        const known = stored.get(instance.resourceId);
        return known?.owner === 'ours' ? [stuckEvent(instance, known.vm, target.region)] : [];
      }),
    );
    return { queued: observed.length + stuck.length, doubtful: found('doubtful').length };
  };

/**
 * How a listed instance differs from the resource store. `new`: an event should have reported it, and was lost or is not sent;
 * `readdressed`: its addresses changed, which events never report.
 */
type Finding = 'equal' | 'new' | 'readdressed' | 'stuck' | 'doubtful';

const findingOf = (
  { instance, dcmId }: ListedVm,
  held: Ownership,
  mode: PolledTarget['mode'],
  nowMs: number,
): Finding => {
  if (held.owner === 'unreadable') return 'doubtful';
  if (held.owner === 'foreign' && held.duplicateOf === dcmId) return 'equal';
  if (held.owner !== 'ours') return unclaimed(instance, mode, nowMs);
  if (held.vm.state === 'terminated') return 'equal';
  if (held.vm.dcmId !== dcmId) return 'new';
  if (isNewlyStuck(instance, held.vm, nowMs)) return 'stuck';
  if (held.vm.state !== instance.state) return contradiction(held.vm, instance, nowMs);
  if (!isReaddressed(instance, held.vm)) return 'equal';
  return isNewer(held.vm, instance.state, nowMs) ? 'readdressed' : 'doubtful';
};

/** Events of a recently launched instance can still be under way, and would look older than this listing. */
const unclaimed = ({ launchedAtMs }: Instance, mode: PolledTarget['mode'], nowMs: number): Finding =>
  mode === 'streaming' && isRecentlyLaunched(launchedAtMs, nowMs) ? 'doubtful' : 'new';

/** Compared in `running` and `stopped` only: during a transition EC2 can show the public address or not. */
const isReaddressed = (
  { state, publicAddress = '', privateAddress, isWindows }: Instance,
  vm: Resource,
): boolean =>
  (state === 'running' || state === 'stopped') &&
  newAddresses(vm, { publicAddress, privateAddress, isWindows }) !== undefined;

const stuckNoticeOf = (instance: Instance, { kind, sequence }: Resource) =>
  stuckNotice(kind, instance, partsOf(sequence).at);

/** Stuck in the held state, and not reported yet. Not in another state: that one must be reported first. */
const isNewlyStuck = (instance: Instance, vm: Resource, nowMs: number): boolean =>
  vm.state === instance.state &&
  isStuck(vm.kind, instance, nowMs) &&
  isNewNotice(vm, stuckNoticeOf(instance, vm));

const stuckEvent = (instance: Instance, vm: Resource, region: string) =>
  instanceNoticedEvent({
    ...{ 'instance-id': instance.resourceId, region, account: instance.account },
    ...stuckNoticeOf(instance, vm),
  });

/** The finding for a state other than the held one: `new`, unless the listing can be older, or the gate would refuse it as older. */
const contradiction = (vm: Resource, instance: Instance, nowMs: number): Finding => {
  const held = heldState(vm);
  if (held === undefined) return 'new';
  const isRefused = !isNewer(vm, instance.state, nowMs);
  return isRefused || couldBeStale(vm.kind, held, instance, Math.floor(nowMs / 1000)) ? 'doubtful' : 'new';
};

const isNewer = (
  held: Pick<Resource, 'kind' | 'state' | 'sequence'>,
  listed: InstanceState,
  nowMs: number,
): boolean => isNewerObservation(held.kind, held, { state: listed, at: listingTime(nowMs) });

/** With its tags where it is not held as ours, so that the normaliser can claim it without a question to EC2. */
const listedInstance = (
  { instance, dcmId }: ListedVm,
  held: Ownership,
  region: string,
  at: number,
): ListedInstance => {
  const { resourceId, account, state, reason, tags, clientToken = '' } = instance;
  const { publicAddress = '', privateAddress, isWindows } = instance;
  const isClaimed = held.owner === 'ours' && held.vm.dcmId === dcmId;
  return {
    region,
    account,
    at,
    'instance-id': resourceId,
    state,
    publicAddress,
    ...(privateAddress !== undefined && { privateAddress }),
    ...(isWindows && { isWindows }),
    ...(reason && { 'state-reason': reason }),
    ...(!isClaimed && { tags, clientToken }),
  };
};
