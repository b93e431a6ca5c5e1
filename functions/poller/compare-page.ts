import { isStuck, stuckNotice } from '../../shared/core/follow-up.ts';
import { isNewerObservation, listingTime, partsOf } from '../../shared/core/gate.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import { newAddresses } from '../../shared/core/outputs.ts';
import { isNewNotice, type Resource } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Meter } from '../../shared/ports/telemetry.ts';
import { type InstanceState, isRecentlyLaunched } from '../../shared/service-types/vm/kind.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import {
  instanceNoticedEvent,
  instanceObservedEvent,
  type ListedInstance,
} from '../../shared/wire/own-messages.ts';
import type { PolledRegion } from './env.ts';

export type ComparisonParts = {
  readonly resourceStore: ResourceStore;
  readonly observations: Observations;
  readonly now: Clock;
  readonly meter: Meter;
};

/** An instance that carries our tags. */
export type ListedVm = { readonly instance: Instance; readonly dcmId: string };

export type Comparison = {
  /** Differences that were queued. */
  readonly news: number;
  /** Differences that cannot be believed yet, and are to be compared again. */
  readonly doubtful: number;
};

/** Compares a page with the fleet and queues the differences, which the normaliser sends through the same gate as events. */
export const comparePage =
  ({ resourceStore, observations, now, meter }: ComparisonParts) =>
  async (polled: PolledRegion, vms: readonly ListedVm[]): Promise<Comparison> => {
    const remembered = await resourceStore.read(vms.map(({ instance }) => instance.instanceId));
    const held = (vm: ListedVm) => remembered.get(vm.instance.instanceId) ?? { owner: 'unknown' as const };
    const judged = vms.map((vm) => ({ vm, finding: findingOf(vm, held(vm), polled.kind, now()) }));

    const those = (...findings: Finding[]) =>
      judged.filter(({ finding }) => findings.includes(finding)).map(({ vm }) => vm);

    const [news, stuck] = [those('news', 'moved'), those('stuck')];
    const at = listingTime(now());
    await observations.send(news.map((vm) => instanceObservedEvent(listed(vm, held(vm), polled.region, at))));
    for (const { instance } of those('news')) meter.healed(polled.region, instance.state);
    await observations.send(stuck.flatMap((vm) => noticed(vm, held(vm), polled.region)));
    return { news: news.length + stuck.length, doubtful: those('doubtful').length };
  };

/** How an instance stands to what the fleet holds of it. Of an address, which makes it `moved`, no event ever tells. */
type Finding = 'as held' | 'news' | 'moved' | 'stuck' | 'doubtful';

const findingOf = (
  { instance, dcmId }: ListedVm,
  held: Ownership,
  kind: PolledRegion['kind'],
  nowMs: number,
): Finding => {
  if (held.owner === 'unreadable') return 'doubtful';
  if (held.owner === 'foreign' && held.duplicateOf === dcmId) return 'as held';
  if (held.owner !== 'ours') return newcomer(instance, kind, nowMs);
  if (held.vm.state === 'terminated') return 'as held';
  if (held.vm.dcmId !== dcmId) return 'news';
  if (isStuckNews(instance, held.vm, nowMs)) return 'stuck';
  if (held.vm.state !== instance.state) return contradiction(held.vm, instance, nowMs);
  return hasMoved(instance, held.vm) ? addressFinding(held.vm, instance.state, nowMs) : 'as held';
};

/** Where events come, a young instance's are still on their way, and would seem older than this listing's. */
const newcomer = ({ launchedAtMs }: Instance, kind: PolledRegion['kind'], nowMs: number): Finding =>
  kind === 'streaming' && isRecentlyLaunched(launchedAtMs, nowMs) ? 'doubtful' : 'news';

/** Has other addresses than the fleet holds. While it comes up or goes down it may have either public one. */
const hasMoved = (
  { state, publicAddress = '', privateAddress, isWindows }: Instance,
  vm: Resource,
): boolean =>
  (state === 'running' || state === 'stopped') &&
  newAddresses(vm, { publicAddress, privateAddress, isWindows }) !== undefined;

const addressFinding = (vm: Resource, state: InstanceState, nowMs: number): Finding =>
  isNewer(vm, state, nowMs) ? 'moved' : 'doubtful';

const stuckNoticeOf = (instance: Instance, { sequence }: Resource) =>
  stuckNotice(instance, partsOf(sequence).at);

/** Stuck, which is told once: only in the state that is held, for what it is stuck in must have been told before. */
const isStuckNews = (instance: Instance, vm: Resource, nowMs: number): boolean =>
  vm.state === instance.state && isStuck(instance, nowMs) && isNewNotice(vm, stuckNoticeOf(instance, vm));

const noticed = ({ instance }: ListedVm, held: Ownership, region: string): EventBridgeEvent[] => {
  if (held.owner !== 'ours') return [];
  const { instanceId, account } = instance;
  return [
    instanceNoticedEvent({
      'instance-id': instanceId,
      region,
      account,
      ...stuckNoticeOf(instance, held.vm),
    }),
  ];
};

/** A state that is not the held one: believed unless it may be older, or the gate would take it for older. */
const contradiction = (vm: Resource, instance: Instance, nowMs: number): Finding => {
  const held = heldState(vm);
  if (held === undefined) return 'news';
  const isRefused = !isNewer(vm, instance.state, nowMs);
  return isRefused || couldBeStale(held, instance, Math.floor(nowMs / 1000)) ? 'doubtful' : 'news';
};

const isNewer = (held: Pick<Resource, 'state' | 'sequence'>, seen: InstanceState, nowMs: number): boolean =>
  isNewerObservation(held, { state: seen, at: listingTime(nowMs) });

const listed = (
  { instance, dcmId }: ListedVm,
  held: Ownership,
  region: string,
  at: number,
): ListedInstance => {
  const { instanceId, account, state, reason, tags, clientToken = '' } = instance;
  const { publicAddress = '', privateAddress, isWindows } = instance;
  const isClaimed = held.owner === 'ours' && held.vm.dcmId === dcmId;
  return {
    region,
    account,
    at,
    'instance-id': instanceId,
    state,
    publicAddress,
    ...(privateAddress !== undefined && { privateAddress }),
    ...(isWindows && { isWindows }),
    ...(reason && { 'state-reason': reason }),
    ...(!isClaimed && { tags, clientToken }),
  };
};
