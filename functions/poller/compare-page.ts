import { isStuck, stuckNotice } from '../../shared/core/follow-up.ts';
import { isNewerObservation, listingTime, partsOf } from '../../shared/core/gate.ts';
import { finalState, isStopped, type Kind } from '../../shared/core/kind.ts';
import { couldBeStale, heldState } from '../../shared/core/listing/doubt.ts';
import type { Observation } from '../../shared/core/message.ts';
import { billedFactsOf, newAddresses } from '../../shared/core/outputs.ts';
import { isRecentlyLaunched } from '../../shared/core/ownership.ts';
import {
  hasNewReason,
  isNewNotice,
  isNews,
  type Resource,
  recordedAs,
  withFailure,
} from '../../shared/core/resource.ts';
import { type Accounts, loggedTarget } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ClusterStepRequest } from '../../shared/ports/cluster-steps.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { ServedType } from '../../shared/ports/served-type.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
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
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/** A resource that carries our tags. */
export type ListedResource = { readonly described: DescribedResource; readonly dcmId: string };

type Compared = {
  readonly type: PolledType;
  readonly polled: PolledTarget;
  /**
   * The service is asked which changes failed that were begun since then, in milliseconds since 1970: one that begins and ends between two
   * listings shows in none. Undefined: it is not asked.
   */
  readonly changedSinceMs?: number | undefined;
};

type Comparison = {
  /** Differences that were queued. */
  readonly queued: number;
  /** Differences that a listing cannot prove yet; the next one compares them again. */
  readonly doubtful: number;
  /** States that nothing had reported. */
  readonly healed: number;
  /** The service was asked about changes, and has answered for every resource. */
  readonly areChangesKnown: boolean;
};

/** Compares a page with the resource store and queues the differences, which pass the normaliser's gate like events. */
export const comparePage = ({
  resourceStore,
  observations,
  accounts = {},
  now,
  meter,
  log,
}: ComparisonParts) => {
  const explain = explainFailedChanges({ log, accounts });
  return async (compared: Compared, listed: readonly ListedResource[]): Promise<Comparison> => {
    const {
      type,
      polled: { target, mode },
    } = compared;
    const stored = await resourceStore.read(listed.map(({ described }) => described.resourceId));
    const held = ({ described }: ListedResource) =>
      stored.get(described.resourceId) ?? { owner: 'unknown' as const };
    const { page, areChangesKnown } = await explain(compared, listed, held);
    const findings = page.map((one) => ({
      one,
      finding: findingOf(one, held(one), { kind: type.kind, mode, nowMs: now() }),
    }));
    const found = (...wanted: Finding[]) =>
      findings.filter(({ finding }) => wanted.includes(finding)).map(({ one }) => one);

    const [observed, healed, stuck] = [
      found('new', 'readdressed', 'explained'),
      found('new'),
      found('stuck'),
    ];
    const place = { kind: type.kind, region: target.region, listedAt: listingTime(now()) };
    await observations.send(
      observed.map((one) => instanceObservedEvent(observedResource(one, held(one), place))),
    );
    for (const { described } of healed) meter.healed(loggedTarget(accounts, target), described.state);
    await observations.send(
      stuck.flatMap((one) => {
        const known = held(one);
        return known.owner === 'ours' ? [stuckEvent(one.described, known.vm, target.region)] : [];
      }),
    );
    await requestSteps([
      ...page.filter((one) => isBetweenSteps(one, held(one))).map(({ dcmId }) => ({ dcmId })),
      ...page
        .filter((one) => isDuplicate(one, held(one)))
        .map(({ dcmId, described: { resourceId } }) => ({ dcmId, resourceId })),
    ]);
    const doubtful = found('doubtful').length;
    return {
      queued: observed.length + stuck.length,
      doubtful,
      healed: healed.length,
      areChangesKnown: areChangesKnown && doubtful === 0,
    };

    /** The message of a step may have been lost: each listing makes up for it. */
    async function requestSteps(unfinished: readonly Omit<ClusterStepRequest, 'continues'>[]) {
      if (type.steps === undefined || unfinished.length === 0) return;
      await type.steps.request(unfinished.map((about) => ({ ...about, continues: false })));
    }
  };
};

/** Of a service that throttles who asks it much. */
const askedAtOnce = 5;

/**
 * Adds to the reasons of a page why changes failed that nobody saw. Of a change that somebody has seen begin, the normaliser asks how it has
 * ended.
 */
const explainFailedChanges =
  ({ log, accounts = {} }: Pick<ComparisonParts, 'log' | 'accounts'>) =>
  async (
    { type: { changes, service }, polled: { target }, changedSinceMs }: Compared,
    page: readonly ListedResource[],
    heldOf: (listed: ListedResource) => Ownership,
  ) => {
    if (changes === undefined || changedSinceMs === undefined) return { page, areChangesKnown: false };
    const errors: unknown[] = [];
    const explain = async (listed: ListedResource): Promise<ListedResource> => {
      const { described, dcmId } = listed;
      const held = heldOf(listed);
      if (held.owner !== 'ours' || held.vm.dcmId !== dcmId || !isAtRest(held.vm, described)) return listed;
      const asked = changes.failure(target, described.resourceId, changedSinceMs);
      const failure = await asked.catch((error: unknown) => void errors.push(error));
      if (failure === undefined || wasPublished(held.vm, failure)) return listed;
      return { ...listed, described: { ...described, reason: withFailure(described.reason, failure) } };
    };
    const explained: ListedResource[] = [];
    for (let start = 0; start < page.length; start += askedAtOnce)
      explained.push(...(await Promise.all(page.slice(start, start + askedAtOnce).map(explain))));
    if (errors.length > 0)
      log.warn('a service did not say how changes have ended; it is asked again with the next listing', {
        ...{ service, region: loggedTarget(accounts, target), resources: errors.length, error: errors[0] },
      });
    return { page: explained, areChangesKnown: errors.length === 0 };
  };

/** Whether the resource has run, and neither a change of it nor its deletion is under way. */
const isAtRest = ({ kind, state = '', deleteRequested }: Resource, described: DescribedResource): boolean =>
  deleteRequested !== true &&
  [state, described.state].every(
    (one) => kind.statesAfterRunning.has(one) && !kind.transitionalStates.has(one),
  );

const wasPublished = ({ latest, history }: Resource, failure: string): boolean =>
  [latest, ...history].some((status) => status?.message.includes(failure));

/** Whether a creation or a deletion can lack a step: it is in transition, or its deletion was requested. */
const isBetweenSteps = ({ described, dcmId }: ListedResource, held: Ownership): boolean =>
  held.owner === 'ours' &&
  held.vm.dcmId === dcmId &&
  (held.vm.deleteRequested === true || held.vm.kind.transitionalStates.has(described.state));

/** Whether another resource has its DCM id. */
const isDuplicate = ({ dcmId }: ListedResource, held: Ownership): boolean =>
  held.owner === 'foreign' && held.duplicateOf === dcmId;

/**
 * How a listed resource differs from the resource store. `new`: an event should have reported it, and was lost or is not sent;
 * `readdressed`: its addresses changed, which events never report; `explained`: the state has another reason.
 */
type Finding = 'equal' | 'new' | 'readdressed' | 'explained' | 'stuck' | 'doubtful';

const findingOf = (
  { described, dcmId }: ListedResource,
  held: Ownership,
  { kind, mode, nowMs }: Pick<ServedType, 'kind'> & Pick<PolledTarget, 'mode'> & { readonly nowMs: number },
): Finding => {
  if (held.owner === 'unreadable') return 'doubtful';
  if (isDuplicate({ described, dcmId }, held)) return 'equal';
  if (held.owner !== 'ours') return kind.timedBy === 'service' ? 'new' : unclaimed(described, mode, nowMs);
  if (held.vm.state === finalState(kind)) return 'equal';
  if (held.vm.dcmId !== dcmId) return 'new';
  if (isNewlyStuck(described, held.vm, nowMs)) return 'stuck';
  return kind.timedBy === 'service'
    ? timedFinding(described, held.vm)
    : sightedFinding(described, held.vm, nowMs);
};

const sightedFinding = (described: DescribedResource, vm: Resource, nowMs: number): Finding => {
  const seen = observationOf(described, vm, { state: described.state, at: listingTime(nowMs) });
  const state = recordedAs(vm, seen)?.state;
  if (state === undefined) return 'equal';
  if (vm.state !== state) return contradiction(vm, { ...described, state }, nowMs);
  const isExplained = hasNewReason(vm, described);
  if (!isExplained && !isReaddressed(described, vm)) return 'equal';
  if (!isNewer(vm, state, nowMs)) return 'doubtful';
  return isExplained ? 'explained' : 'readdressed';
};

/** The states have their own times, so neither the time of the listing nor a late event can make one look newer than it is. */
const timedFinding = (described: DescribedResource, vm: Resource): Finding => {
  const isNew = (described.stateTimes ?? []).some((seen) => isNews(vm, observationOf(described, vm, seen)));
  if (isNew) return 'new';
  return described.state === vm.state && isReaddressed(described, vm) ? 'readdressed' : 'equal';
};

const observationOf = (
  { resourceId, account }: DescribedResource,
  { region }: Resource,
  { state, at }: { readonly state: string; readonly at: number },
): Observation => ({ kind: 'observation', resourceId, region, account, state, at, seenBy: 'listing' });

/** Events of a recently launched resource can still be under way, and would look older than this listing. */
const unclaimed = (
  { launchedAtMs }: DescribedResource,
  mode: PolledTarget['mode'],
  nowMs: number,
): Finding => (mode === 'streaming' && isRecentlyLaunched(launchedAtMs, nowMs) ? 'doubtful' : 'new');

/** Compared while it runs or is stopped: during a transition EC2 can show the public address or not. */
const isReaddressed = (described: DescribedResource, vm: Resource): boolean => {
  const { state, publicAddress, privateAddress, isWindows, apiEndpoint } = described;
  const seen = { publicAddress, privateAddress, isWindows, apiEndpoint, ...billedFactsOf(described) };
  return (
    (state === vm.kind.runningState || isStopped(vm.kind, state)) && newAddresses(vm, seen) !== undefined
  );
};

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

type Place = {
  readonly kind: Kind;
  readonly region: string;
  /** The time of the states in the listing, where the service gives them none. */
  readonly listedAt: number;
};

/** With its tags where it is not held as ours, so that the normaliser can claim it without a question to the service. */
const observedResource = (
  { described, dcmId }: ListedResource,
  held: Ownership,
  { kind, region, listedAt }: Place,
): ObservedResource => {
  const { resourceId, account, state, reason, tags, clientToken = '' } = described;
  const { publicAddress, privateAddress, isWindows, apiEndpoint } = described;
  const stateTimes = kind.timedBy === 'service' ? described.stateTimes : undefined;
  const isClaimed = held.owner === 'ours' && held.vm.dcmId === dcmId;
  return {
    region,
    account,
    at: stateTimes?.at(-1)?.at ?? listedAt,
    'instance-id': resourceId,
    state,
    ...(stateTimes && stateTimes.length > 1 && { 'state-times': [...stateTimes] }),
    ...(publicAddress !== undefined && { publicAddress }),
    ...(privateAddress !== undefined && { privateAddress }),
    ...(isWindows && { isWindows }),
    ...(apiEndpoint !== undefined && { apiEndpoint }),
    ...billedFactsOf(described),
    ...(reason && { 'state-reason': reason }),
    ...(!isClaimed && { tags, clientToken }),
  };
};
