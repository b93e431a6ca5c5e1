import { RecentlyLaunchedError, UnavailableError } from '../../shared/core/errors.ts';
import { isEnding, type Kind, rankOf } from '../../shared/core/kind.ts';
import type { Observation, ResourceMessage, TagChange } from '../../shared/core/message.ts';
import { type Addresses, lacksPublicAddress } from '../../shared/core/outputs.ts';
import {
  dcmIdOf,
  isRecentlyLaunched,
  labelsField,
  labelsIn,
  type TagKeys,
  type Tags,
} from '../../shared/core/ownership.ts';
import {
  hasEnded,
  isLaunched,
  isOfAnotherAccount,
  type LaunchedRecord,
  type ResourceRecord,
} from '../../shared/core/record.ts';
import { isNews, type Resource } from '../../shared/core/resource.ts';
import { addressProblem } from '../../shared/core/resource-id.ts';
import { loggedTarget, targetKey, targetOf, targetOfKey } from '../../shared/core/target.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { LaunchedResource } from '../../shared/ports/records.ts';
import type { Claim, Ownership } from '../../shared/ports/resource-store.ts';
import { type ServedType, servedTypeOf } from '../../shared/ports/served-type.ts';
import { isLaunchedByUs, launchedGeneration } from '../../shared/service-types/client-token.ts';
import {
  type Answers,
  addressesIn,
  type askService,
  describedStates,
  type EndReasons,
  withAddresses,
} from './ask-service.ts';
import { moveResource } from './move-resource.ts';
import type { Parts } from './normalise.ts';
import {
  checkIn,
  hasClaimCheck,
  hasFinalState,
  hasObservation,
  hasUnexplainedFallback,
  isRedelivered,
  type MessageGroup,
  newestTagChange,
  oldestFirst,
} from './read-message.ts';

/** A resource of ours, with the answers of its service that are to be recorded. */
export type Owned = {
  readonly group: MessageGroup;
  readonly vm: Resource;
  readonly resourceMessages: readonly ResourceMessage[];
  /** The observations in the service's answer that no event has reported. */
  readonly answers: readonly Observation[];
  /** As the service described it; undefined where it was not asked, did not answer or does not know it. */
  readonly described: DescribedResource | undefined;
  /** Its state must be read from the service again, because events before the claim may have been dropped. */
  readonly needsClaimCheck: boolean;
};

export type Owners = {
  readonly ours: readonly Owned[];
  /** Why the owner of these is not known yet. */
  readonly undecided: ReadonlyMap<MessageGroup, unknown>;
};

/**
 * Finds out which resources are ours: one batched read of the resource store, and for unknown ones one call of the
 * service a target.
 * Claims resources that are ours, and marks the others as foreign.
 *
 * Nothing that happens after a claim is lost, however many workers there are: no worker caches that a resource is foreign,
 * and before it drops a message for that reason it reads the item consistently. So a message that was dropped was handled before the claim.
 * After the claim, the state is read from EC2 once more, which makes up for that message; and again a minute later, because
 * DescribeInstances may lag behind.
 */
export const establishOwners = (
  parts: Parts,
  { ask, reasons }: { readonly ask: ReturnType<typeof askService>; readonly reasons: EndReasons },
) => {
  const { resourceStore, homeAccount, accounts = {}, now, meter, log } = parts;
  const enact = enactDecision(parts);

  return async (all: readonly MessageGroup[]): Promise<Owners> => {
    if (all.length === 0) return { ours: [], undecided: new Map() };
    const remembered = await readOwners(all);
    const groups = all.filter((group) => !isImpersonated(group, remembered));
    const answers = await ask(groups.filter((group) => mustAsk(evidenceOf(group, remembered), group)));

    const enacted: Enacted[] = [];
    const undecided = new Map<MessageGroup, unknown>();
    const settle = async (group: MessageGroup) => {
      const evidence = { ...evidenceOf(group, remembered), described: answerFor(group, answers) };
      try {
        if (evidence.remembered.owner === 'unreadable') throw evidence.remembered.error;
        enacted.push(...(await enact(group, decideOwner(evidence, parts, now()), evidence)));
      } catch (error) {
        undecided.set(group, error);
      }
    };
    await Promise.all(groups.map(settle));

    const late = enacted.filter((one) => isLateClaim(one, remembered));
    const afterClaim = await ask(late.map(({ group }) => group));
    const ours = enacted.map((one) => {
      const isLate = late.includes(one);
      return owned(one, isLate, answerFor(one.group, isLate ? afterClaim : answers));
    });
    return { ours, undecided };
  };

  /** Reads the resource store; consistently for resources that seem foreign. */
  async function readOwners(groups: readonly MessageGroup[]): Promise<ReadonlyMap<string, Ownership>> {
    const remembered = new Map(await resourceStore.read(groups.map(({ resourceId }) => resourceId)));
    const readConsistently = async ([resourceId, { owner }]: readonly [string, Ownership]) => {
      if (owner !== 'foreign') return;
      const held = await resourceStore.readConsistently(resourceId);
      if (held.outcome !== 'unknown') remembered.set(resourceId, { owner: 'ours', vm: held.vm });
    };
    await Promise.all([...remembered].map(readConsistently));
    return remembered;
  }

  /** Whether a message about a resource of ours comes from another account than the resource's: only a forged one does. */
  function isImpersonated(
    { resourceId, account }: MessageGroup,
    remembered: ReadonlyMap<string, Ownership>,
  ): boolean {
    const held = remembered.get(resourceId);
    if (homeAccount === undefined || held?.owner !== 'ours' || held.vm.account === account) return false;
    meter.count('foreignAccount');
    const region = loggedTarget(accounts, targetOf(held.vm, homeAccount));
    log.error('dropped what another AWS account says of a resource', { resourceId, region, account });
    return true;
  }

  function mustAsk(evidence: Evidence, group: MessageGroup): boolean {
    const { remembered } = evidence;
    const held = remembered.owner === 'ours' ? remembered.vm : undefined;
    return (
      mustAskService(evidence, parts) ||
      (!hasObservation(group) && isStateWanted(evidence, group, held)) ||
      (held !== undefined && (reasons.isUnexplained(group, held) || hasUnexplainedFallback(group, held))) ||
      ((held !== undefined || isTaggedAsOurs(evidence)) && isAddressWanted(group, held))
    );
  }

  /** Whether the state is needed from the service: the resource was tagged while it ran, or its state is to be checked. */
  function isStateWanted(evidence: Evidence, group: MessageGroup, held: Resource | undefined): boolean {
    if (held?.state !== undefined) return hasClaimCheck(group) || checkIn(group, held) !== undefined;
    return isTaggedAsOurs(evidence);
  }

  function isTaggedAsOurs({ tagChange }: Evidence): boolean {
    return tagChange !== undefined && dcmIdOf(tagChange.tags, parts.tagKeys, parts.provider) !== undefined;
  }

  /**
   * Whether it became ours by a tag change, or was foreign before: now, or in an earlier delivery that did not finish. Not where the service
   * gives each state its time: then its next event has the earlier states too.
   */
  function isLateClaim({ group, isClaimed }: Enacted, remembered: ReadonlyMap<string, Ownership>): boolean {
    if (group.kind.timedBy === 'service' && hasObservation(group)) return false;
    if (!isClaimed) return isRedelivered(group) && newestTagChange(group) !== undefined;
    return !hasObservation(group) || remembered.get(group.resourceId)?.owner === 'foreign';
  }

  function owned({ group, vm }: Enacted, isLate: boolean, described: Evidence['described']): Owned {
    const answers = describedStates({ group, vm, isLate, described }, now());
    const seen = described === 'absent' ? undefined : described;
    const messages = group.resourceMessages.map((resourceMessage) =>
      withAddresses(group.kind, resourceMessage, seen),
    );
    const all = [...answers, ...messages];
    const resourceMessages = group.kind.timedBy === 'service' ? all.sort(oldestFirst(group.kind)) : all;
    return { group, vm, answers, resourceMessages, described: seen, needsClaimCheck: isLate };
  }
};

/** A resource of another account counts as absent: the events of this account are not about it. */
const answerFor = ({ resourceId, account }: MessageGroup, answers: Answers): Evidence['described'] => {
  const answer = answers.get(resourceId);
  return answer === undefined || answer === 'absent' || answer.account === account ? answer : 'absent';
};

/** Whether RUNNING is about to be published, and neither the group nor the resource store has all its addresses. */
const isAddressWanted = (group: MessageGroup, held: Resource | undefined): boolean => {
  const { kind, resourceMessages } = group;
  if (!kind.needsAddress || hasFinalState(group)) return false;
  const running = resourceMessages.filter(
    (resourceMessage): resourceMessage is Observation =>
      resourceMessage.kind === 'observation' &&
      resourceMessage.state === kind.runningState &&
      (held === undefined || isNews(held, resourceMessage)),
  );
  const runningStatus = kind.statusOf(kind.runningState);
  const hasLeft = kind.timedBy === 'service' && hasStateAfterRunning(group);
  const isNew = running.length > 0 || held?.outbox.some(({ status }) => status === runningStatus) === true;
  if (!isNew && held?.state !== kind.runningState) return false;
  const isPublished = (address: 'privateAddress' | 'publicAddress') => running.some((seen) => seen[address]);
  const lacksPrivate = held?.privateAddress === undefined && !isPublished('privateAddress');
  const lacksPublic =
    isNew && !hasLeft && held !== undefined && lacksPublicAddress(held) && !isPublished('publicAddress');
  return lacksPrivate || lacksPublic;
};

const hasStateAfterRunning = ({ kind, resourceMessages }: MessageGroup): boolean =>
  resourceMessages.some(
    (one) => one.kind === 'observation' && rankOf(kind, one.state) > rankOf(kind, kind.runningState),
  );

const evidenceOf = (group: MessageGroup, remembered: ReadonlyMap<string, Ownership>): Evidence => ({
  kind: group.kind,
  remembered: remembered.get(group.resourceId) ?? { owner: 'unknown' },
  tagChange: newestTagChange(group),
  seenAtMs: Math.min(...group.resourceMessages.map(({ at }) => at * 1000)),
  launchedAtMs: launchTimeOf(group),
  hasEnded: hasFinalState(group),
});

/** The time of the starting state, which is reported at a launch and at a start. */
const launchTimeOf = ({ kind, resourceMessages }: MessageGroup): number | undefined => {
  const starting = resourceMessages.find(
    (resourceMessage) =>
      resourceMessage.kind === 'observation' && resourceMessage.state === kind.startingState,
  );
  return starting && starting.at * 1000;
};

/** The facts that decide the owner of a resource. */
export type Evidence = {
  readonly kind: Kind;
  readonly remembered: Ownership;
  /** The newest one in this batch. */
  readonly tagChange?: Pick<TagChange, 'tags' | 'at' | 'clientToken'> | undefined;
  /** The service's answer: `absent` where it does not return the resource, undefined where it was not asked. */
  readonly described?: DescribedResource | 'absent' | undefined;
  /** Milliseconds since 1970 of the oldest message in this batch: the resource is at least this old. */
  readonly seenAtMs: number;
  /** Milliseconds since 1970 of the launch that an event in this batch reported; undefined where none did. */
  readonly launchedAtMs?: number | undefined;
  /** A message in this batch has the last state. */
  readonly hasEnded: boolean;
};

export type Decision =
  /** `claim` where the resource store does not hold it as ours yet, or with another DCM id. */
  | { readonly owner: 'ours'; readonly dcmId: string; readonly claim: boolean }
  /** `forSure` where the owner cannot change without an event, so that it can be stored. */
  | { readonly owner: 'foreign'; readonly forSure: boolean }
  /** Ours until now: the ownership tags of a living resource were removed. */
  | { readonly owner: 'ownership-removed' }
  /** Launched moments ago and without tags yet; or the service does not show a tag change yet. */
  | { readonly owner: 'undecided' };

/** The tag keys and the name of this provider. */
export type Identity = { readonly tagKeys: TagKeys; readonly provider: string };

/**
 * Whether the service must be asked for the owner: nothing is known, or a tag change contradicts the resource store and may be late or out of
 * order. Also before a claim due to an event, because no event has the client token.
 */
export const mustAskService = (
  { remembered, tagChange }: Omit<Evidence, 'kind'>,
  { tagKeys, provider }: Identity,
): boolean => {
  if (tagChange === undefined) return remembered.owner === 'unknown';
  const tagged = dcmIdOf(tagChange.tags, tagKeys, provider);
  if (remembered.owner === 'ours') return tagged !== remembered.vm.dcmId;
  if (remembered.owner === 'unknown') return tagged !== undefined && tagChange.clientToken === undefined;
  return remembered.owner === 'foreign' && tagged !== undefined;
};

/** The owner of a resource. Pure, so that tests can try every combination. */
export const decideOwner = (evidence: Evidence, { tagKeys, provider }: Identity, nowMs: number): Decision => {
  const idOf = (tags: Tags | undefined) => tags && dcmIdOf(tags, tagKeys, provider);
  const { remembered, tagChange } = evidence;
  const tagged = idOf(tagChange?.tags);

  if (remembered.owner === 'ours') {
    const { dcmId } = remembered.vm;
    const isKept = tagChange === undefined || tagged === dcmId;
    return isKept
      ? { owner: 'ours', dcmId, claim: false }
      : afterTagsChanged(evidence, { idOf, dcmId, nowMs });
  }
  if (tagged !== undefined) return afterTagging(evidence, { idOf, dcmId: tagged, nowMs });
  if (remembered.owner === 'foreign') return { owner: 'foreign', forSure: true };
  if (tagChange !== undefined) return { owner: 'foreign', forSure: false };
  return byService(evidence, { idOf, nowMs });
};

type Known = {
  readonly idOf: (tags: Tags | undefined) => string | undefined;
  /** From the resource store, or from the tag change. */
  readonly dcmId: string;
  readonly nowMs: number;
};

/** EC2 removes the tags of a terminated instance: only a living one without them, or with another DCM id, is another VM, or none. */
const afterTagsChanged = (evidence: Evidence, { idOf, dcmId, nowMs }: Known): Decision => {
  const { described, tagChange } = evidence;
  if (described === undefined) return { owner: 'undecided' };
  if (!isLiving(evidence.kind, described)) return { owner: 'ours', dcmId, claim: false };
  const found = idOf(described.tags);
  if (found !== idOf(tagChange?.tags) && mayLag(evidence, nowMs)) return { owner: 'undecided' };
  return found === undefined
    ? { owner: 'ownership-removed' }
    : { owner: 'ours', dcmId: found, claim: found !== dcmId };
};

/** The decision for a resource that was foreign, or unknown, and has our tags. */
const afterTagging = (evidence: Evidence, known: Known): Decision => {
  const { kind, described, hasEnded: ended } = evidence;
  if (isProofEnough(evidence, known.nowMs)) return { owner: 'ours', dcmId: known.dcmId, claim: true };
  const isMissing =
    described === 'absent' || (isLiving(kind, described) && known.idOf(described.tags) === undefined);
  return isMissing && !ended && mayLag(evidence, known.nowMs)
    ? { owner: 'undecided' }
    : byService(evidence, known);
};

/** Whether a tag change alone decides the owner of an unknown resource: it has the token too, or the service no longer shows the tags. */
const isProofEnough = (evidence: Evidence, nowMs: number): boolean => {
  const { kind, remembered, described, tagChange, hasEnded: ended } = evidence;
  if (remembered.owner !== 'unknown') return false;
  if (described === undefined) return tagChange?.clientToken !== undefined;
  if (described === 'absent') return ended || !mayLag(evidence, nowMs);
  return !isLiving(kind, described);
};

const isLiving = (kind: Kind, described: Evidence['described']): described is DescribedResource =>
  described !== undefined && described !== 'absent' && !isEnding(kind, described.state);

const tagLagMs = 30_000;

/** Whether the tag change is so recent that the service may not show it yet. */
const mayLag = ({ tagChange }: Evidence, nowMs: number): boolean =>
  tagChange !== undefined && nowMs - tagChange.at * 1000 < tagLagMs;

/** Only the service's launch time makes a resource recently launched: a recent event may be about an old one. */
const byService = (
  { described, seenAtMs, launchedAtMs, hasEnded: ended }: Evidence,
  { idOf, nowMs }: Pick<Known, 'idOf' | 'nowMs'>,
): Decision => {
  if (described === undefined) return { owner: 'undecided' };
  const found = described === 'absent' ? undefined : described;
  const dcmId = idOf(found?.tags);
  if (dcmId !== undefined) return { owner: 'ours', dcmId, claim: true };
  if (ended) return { owner: 'foreign', forSure: false };
  const launchMs = found ? found.launchedAtMs : launchedAtMs;
  const isRecent = launchMs !== undefined && isRecentlyLaunched(launchMs, nowMs);
  const tagsArrived = Object.keys(found?.tags ?? {}).length > 0; // EC2 puts a launch's tags on all at once
  if (isRecent && !tagsArrived) return { owner: 'undecided' };
  return { owner: 'foreign', forSure: found !== undefined || !isRecentlyLaunched(seenAtMs, nowMs) };
};

/** A resource of ours. */
export type Enacted = {
  readonly group: MessageGroup;
  readonly vm: Resource;
  /** It was claimed just now, and earlier events about it may have been dropped. */
  readonly isClaimed: boolean;
};

/**
 * Stores the owner of a resource. Resources of ours are recorded next.
 * @throws RecentlyLaunchedError, UnavailableError where the owner is not known yet.
 */
const enactDecision = (parts: Parts) => {
  const { resourceStore, homeAccount, accounts = {}, meter, log } = parts;
  const adopt = adoptResource(parts);
  const move = moveResource(parts);

  const ours = async (
    group: MessageGroup,
    { dcmId, claim }: DecisionOf<'ours'>,
    evidence: Evidence,
  ): Promise<Enacted[]> => {
    const { kind, resourceId, region, account } = group;
    const { remembered } = evidence;
    const former = remembered.owner === 'ours' ? remembered.vm : undefined;
    if (former && !claim) return [{ group, vm: former, isClaimed: false }];
    const recorded = await adopt(group, dcmId, evidence);
    if (recorded === undefined) return duplicate(group, dcmId, evidence);
    warnWhereUnaddressable(group, dcmId);
    if (former) {
      const vm = await move(resourceId, { dcmId, at: changedAt(evidence) });
      return vm ? [{ group, vm, isClaimed: true }] : [];
    }
    const seen = addressesIn(kind, evidence.described, kind.runningState);
    const about = { dcmId, region, account, ...recorded, ...seen };
    await resourceStore.claim({ resourceId, ...about });
    meter.count('claimed');
    const vm = { kind, resourceId, ...about, sequence: 0, outbox: [], history: [] };
    return [{ group, vm, isClaimed: true }];
  };

  const warnWhereUnaddressable = (group: MessageGroup, dcmId: string): void => {
    const { kind, resourceId } = group;
    const region = loggedTarget(accounts, targetOf(group, homeAccount));
    const reason = addressProblem(dcmId, kind.serviceType);
    if (reason === undefined) return;
    meter.count('unaddressable');
    log.warn('the tags of a resource hold a DCM id that the API does not take; it is reported', {
      ...{ dcmId, resourceId, region, reason },
    });
  };

  const duplicate = async ({ resourceId }: MessageGroup, dcmId: string, evidence: Evidence) => {
    if (evidence.remembered.owner === 'ours')
      await move(resourceId, { dcmId: undefined, at: changedAt(evidence) });
    await resourceStore.markForeign([resourceId], dcmId);
    return [];
  };

  const others = async (
    { resourceId }: MessageGroup,
    { forSure }: DecisionOf<'foreign'>,
    { remembered }: Evidence,
  ) => {
    meter.count('foreign');
    if (forSure && remembered.owner === 'unknown') await resourceStore.markForeign([resourceId]);
    return [];
  };

  const removed = async ({ resourceId, region }: MessageGroup) => {
    await resourceStore.removeOwnership(resourceId);
    meter.count('released');
    log.warn('ownership tags were removed from a resource; it is no longer reported', {
      resourceId,
      region,
    });
    return [];
  };

  const undecided = ({ kind, resourceId }: MessageGroup, { described }: Evidence): never => {
    meter.count('tooYoung');
    throw described === undefined
      ? new UnavailableError(`${servedTypeOf(parts.types, kind).service} did not say whose ${resourceId} is`)
      : new RecentlyLaunchedError(`${resourceId} was launched moments ago and has no tags yet`);
  };

  return async (group: MessageGroup, decision: Decision, evidence: Evidence): Promise<Enacted[]> => {
    if (decision.owner === 'ours') return ours(group, decision, evidence);
    if (decision.owner === 'foreign') return others(group, decision, evidence);
    return decision.owner === 'ownership-removed' ? removed(group) : undecided(group, evidence);
  };
};

/** What is known of a resource by the record of its DCM id. */
type RecordedFacts = Addresses & Pick<Claim, 'deleteRequested'>;

/**
 * Records, before a resource is claimed, that it is the one with this DCM id, and whether we launched it. DCM may have deleted the id before
 * the service showed what it was asked to launch: then the deletion is recorded of this resource.
 * @returns what the record knows of it; undefined where another one has the id, lives and still carries it, or is in another account: two resources must not be published under one id.
 */
const adoptResource =
  ({ types, resourceStore, homeAccount, accounts = {}, provider, tagKeys, now, meter, log }: Parts) =>
  async (group: MessageGroup, dcmId: string, evidence: Evidence): Promise<RecordedFacts | undefined> => {
    const type = servedTypeOf(types, group.kind);
    const { records } = type;
    if (!records) return {};
    const { resourceId } = group;
    const token = tokenIn(evidence);
    const region = targetKey(targetOf(group, homeAccount));
    const vm = {
      ...launchedResource(type, group, { dcmId, tagKeys }, evidence),
      region,
      adopted: isAdopted(),
    };
    if ((await records.adopt(vm)) !== 'another') return factsIn(await records.read(dcmId));

    const other = await records.read(dcmId);
    if (
      other &&
      !isOfAnotherAccount(other, vm) &&
      isLaunched(other) &&
      ((await isGone(other)) || !(await stillCarriesIt(other)))
    ) {
      await records.end(dcmId, other.resourceId);
      if ((await records.adopt(vm)) !== 'another') return factsIn(await records.read(dcmId));
    }
    meter.count('duplicateOwner');
    log.error('two resources carry one DCM id; the second is not reported', {
      ...{ dcmId, resourceId: other?.resourceId, duplicate: resourceId },
      region: loggedTarget(accounts, targetOfKey(region)),
    });
    return undefined;

    /** Undefined where neither the service's answer nor a listing shows the resource. */
    function isAdopted(): boolean | undefined {
      return token === undefined ? undefined : !isLaunchedByUs(provider, { dcmId }, token);
    }

    async function factsIn(record: ResourceRecord | undefined): Promise<RecordedFacts> {
      const { privateAddress, getsPublicAddress, isWindows, ports } = record?.facts ?? {};
      const addresses = { privateAddress, getsPublicAddress, isWindows, ports };
      if (record?.resourceId !== resourceId || !isDeleted(record)) return addresses;
      if (record.deleteRequestedAtMs === undefined) await records?.requestDelete(dcmId);
      return { ...addresses, deleteRequested: true };
    }

    /** Whether DCM has deleted this resource, or given up the creation that we launched it for. */
    function isDeleted({ generation, deletedAtMs, deleteRequestedAtMs }: ResourceRecord): boolean {
      if (deletedAtMs === undefined) return false;
      const launchedAs = launchedGeneration(provider, { dcmId, generation }, token);
      return launchedAs !== undefined && (deleteRequestedAtMs !== undefined || launchedAs < generation);
    }

    /** The other one's tag change may not have arrived yet, as when two instances swap their ids. */
    async function stillCarriesIt({ region: key, resourceId: id }: LaunchedRecord): Promise<boolean> {
      const seen = (await type.resources.describe(targetOfKey(key), [id], type.describeTimeoutMs)).get(id);
      return seen === undefined || dcmIdOf(seen.tags, tagKeys, provider) === dcmId;
    }

    async function isGone(record: LaunchedRecord): Promise<boolean> {
      const held = (await resourceStore.read([record.resourceId])).get(record.resourceId);
      return hasEnded(record, held ?? { owner: 'unknown' }, now());
    }
  };

/** The client token of the launch; undefined where neither the service's answer nor a listing shows the resource. */
const tokenIn = ({ described, tagChange }: Evidence): string | undefined =>
  described !== undefined && described !== 'absent' ? (described.clientToken ?? '') : tagChange?.clientToken;

const launchedResource = (
  { factsSeen }: ServedType,
  { resourceId, region, account }: MessageGroup,
  { dcmId, tagKeys }: { readonly dcmId: string; readonly tagKeys: TagKeys },
  { described, tagChange, seenAtMs }: Evidence,
): LaunchedResource => {
  const isDescribed = described !== undefined && described !== 'absent';
  const tags = (isDescribed ? described.tags : tagChange?.tags) ?? {};
  const facts = factsSeen(isDescribed ? described : { launchedAtMs: seenAtMs });
  return {
    ...{ dcmId, region, resourceId, account },
    facts: { ...facts, ...labelsField(labelsIn(tags, tagKeys)) },
  };
};

/** When the tags were changed, in seconds since 1970; the same at each delivery of the message. */
const changedAt = ({ tagChange, seenAtMs }: Evidence): number => tagChange?.at ?? Math.floor(seenAtMs / 1000);

type DecisionOf<Owner extends Decision['owner']> = Extract<Decision, { owner: Owner }>;
