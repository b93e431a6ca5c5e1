import { isStuck, stuckNotice } from '../../shared/core/follow-up.ts';
import { isNewerObservation, listingTime, partsOf } from '../../shared/core/gate.ts';
import { finalState, isStopped } from '../../shared/core/kind.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import { newAddresses } from '../../shared/core/outputs.ts';
import { isRecentlyLaunched } from '../../shared/core/ownership.ts';
import { isNewNotice, type Resource } from '../../shared/core/resource.ts';
import { targetKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Meter } from '../../shared/ports/telemetry.ts';
import {
  instanceNoticedEvent,
  instanceObservedEvent,
  type ObservedResource,
} from '../../shared/wire/own-messages.ts';
import type { PolledTarget } from './env.ts';
import type { PolledType } from './poll-target.ts';

export type ComparisonParts = {
  readonly resourceStore: ResourceStore;
  readonly observations: Observations;
  readonly now: Clock;
  readonly meter: Meter;
};

/** A resource that carries our tags. */
export type ListedResource = { readonly described: DescribedResource; readonly dcmId: string };

type Compared = { readonly type: PolledType; readonly polled: PolledTarget };

type Comparison = {
  /** Differences that were queued. */
  readonly queued: number;
  /** Differences that a listing cannot prove yet; the next one compares them again. */
  readonly doubtful: number;
};

/** Compares a page with the resource store and queues the differences, which pass the normaliser's gate like events. */
export const comparePage =
  ({ resourceStore, observations, now, meter }: ComparisonParts) =>
  async ({ polled: { target, mode } }: Compared, page: readonly ListedResource[]): Promise<Comparison> => {
    const stored = await resourceStore.read(page.map(({ described }) => described.resourceId));
    const held = ({ described }: ListedResource) =>
      stored.get(described.resourceId) ?? { owner: 'unknown' as const };
    const compared = page.map((listed) => ({
      listed,
      finding: findingOf(listed, held(listed), mode, now()),
    }));
    const found = (...findings: Finding[]) =>
      compared.filter(({ finding }) => findings.includes(finding)).map(({ listed }) => listed);

    const [observed, stuck] = [found('new', 'readdressed'), found('stuck')];
    const at = listingTime(now());
    await observations.send(
      observed.map((listed) =>
        instanceObservedEvent(observedResource(listed, held(listed), target.region, at)),
      ),
    );
    for (const { described } of found('new')) meter.healed(targetKey(target), described.state);
    await observations.send(
      stuck.flatMap((listed) => {
        const known = held(listed);
        return known.owner === 'ours' ? [stuckEvent(listed.described, known.vm, target.region)] : [];
      }),
    );
    return { queued: observed.length + stuck.length, doubtful: found('doubtful').length };
  };

/**
 * How a listed resource differs from the resource store. `new`: an event should have reported it, and was lost or is not sent;
 * `readdressed`: its addresses changed, which events never report.
 */
type Finding = 'equal' | 'new' | 'readdressed' | 'stuck' | 'doubtful';

const findingOf = (
  { described, dcmId }: ListedResource,
  held: Ownership,
  mode: PolledTarget['mode'],
  nowMs: number,
): Finding => {
  if (held.owner === 'unreadable') return 'doubtful';
  if (held.owner === 'foreign' && held.duplicateOf === dcmId) return 'equal';
  if (held.owner !== 'ours') return unclaimed(described, mode, nowMs);
  if (held.vm.state === finalState(held.vm.kind)) return 'equal';
  if (held.vm.dcmId !== dcmId) return 'new';
  if (isNewlyStuck(described, held.vm, nowMs)) return 'stuck';
  if (held.vm.state !== described.state) return contradiction(held.vm, described, nowMs);
  if (!isReaddressed(described, held.vm)) return 'equal';
  return isNewer(held.vm, described.state, nowMs) ? 'readdressed' : 'doubtful';
};

/** Events of a recently launched resource can still be under way, and would look older than this listing. */
const unclaimed = (
  { launchedAtMs }: DescribedResource,
  mode: PolledTarget['mode'],
  nowMs: number,
): Finding => (mode === 'streaming' && isRecentlyLaunched(launchedAtMs, nowMs) ? 'doubtful' : 'new');

/** Compared while it runs or is stopped: during a transition EC2 can show the public address or not. */
const isReaddressed = (
  { state, publicAddress = '', privateAddress, isWindows }: DescribedResource,
  vm: Resource,
): boolean =>
  (state === vm.kind.runningState || isStopped(vm.kind, state)) &&
  newAddresses(vm, { publicAddress, privateAddress, isWindows }) !== undefined;

const stuckNoticeOf = (described: DescribedResource, { kind, sequence }: Resource) =>
  stuckNotice(kind, described, partsOf(sequence).at);

/** Stuck in the held state, and not reported yet. Not in another state: that one must be reported first. */
const isNewlyStuck = (described: DescribedResource, vm: Resource, nowMs: number): boolean =>
  vm.state === described.state &&
  isStuck(vm.kind, described, nowMs) &&
  isNewNotice(vm, stuckNoticeOf(described, vm));

const stuckEvent = (described: DescribedResource, vm: Resource, region: string) =>
  instanceNoticedEvent({
    ...{ 'instance-id': described.resourceId, region, account: described.account },
    ...stuckNoticeOf(described, vm),
  });

/** The finding for a state other than the held one: `new`, unless the listing can be older, or the gate would refuse it as older. */
const contradiction = (vm: Resource, described: DescribedResource, nowMs: number): Finding => {
  const held = heldState(vm);
  if (held === undefined) return 'new';
  const isRefused = !isNewer(vm, described.state, nowMs);
  return isRefused || couldBeStale(vm.kind, held, described, Math.floor(nowMs / 1000)) ? 'doubtful' : 'new';
};

const isNewer = (
  held: Pick<Resource, 'kind' | 'state' | 'sequence'>,
  listed: string,
  nowMs: number,
): boolean => isNewerObservation(held.kind, held, { state: listed, at: listingTime(nowMs) });

/** With its tags where it is not held as ours, so that the normaliser can claim it without a question to the service. */
const observedResource = (
  { described, dcmId }: ListedResource,
  held: Ownership,
  region: string,
  at: number,
): ObservedResource => {
  const { resourceId, account, state, reason, tags, clientToken = '' } = described;
  const { publicAddress = '', privateAddress, isWindows } = described;
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
