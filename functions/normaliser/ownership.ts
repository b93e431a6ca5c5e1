import { ProviderError, TooYoungError, UnavailableError } from '../../shared/core/errors.ts';
import type { Observation, Signal, TagChange } from '../../shared/core/message.ts';
import { lacksPublicAddress } from '../../shared/core/outputs.ts';
import { type TagKeys, type Tags, vmIdOf } from '../../shared/core/ownership.ts';
import type { Vm } from '../../shared/core/resource.ts';
import { addressProblem } from '../../shared/core/resource-id.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { Fleet, Recollection } from '../../shared/ports/resource-store.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { isYoung } from '../../shared/service-types/vm/kind.ts';
import { type AdoptionParts, adoptInstance } from './adopt-instance.ts';
import { type Answers, addressesIn, describedState, type Terminations, withAddresses } from './ask-ec2.ts';
import {
  checkIn,
  hasClaimCheck,
  hasObservation,
  hasUnexplainedFallback,
  isRetried,
  isTerminated,
  type Lane,
  newestTagChange,
} from './message-groups.ts';
import { type MoveParts, moveInstance } from './move-instance.ts';

export type OwnershipParts = Identity &
  EnactmentParts & {
    readonly ask: (questions: readonly Lane[]) => Promise<Answers>;
    readonly reasons: Terminations;
  };

/** A VM of ours, and what is to be recorded of it. */
export type Owned = {
  readonly lane: Lane;
  readonly vm: Vm;
  readonly signals: readonly Signal[];
  /** The signal that EC2's answer was, and no message. */
  readonly answer: Observation | undefined;
  /** As EC2 described it; undefined where EC2 was not asked, did not answer or does not know it. */
  readonly described: Instance | undefined;
  /** Its state is to be compared with EC2's again, since it was claimed after events of it may have been dropped. */
  readonly needsClaimCheck: boolean;
};

export type Owners = {
  readonly ours: readonly Owned[];
  /** Why nothing can be done about these yet. */
  readonly undecided: ReadonlyMap<Lane, ProviderError>;
};

/**
 * Tells our VMs from everybody else's instances: one batched read of the fleet, one filtered DescribeInstances a region where the fleet
 * does not know. Claims what turns out to be ours and remembers in the fleet what is not.
 *
 * Nothing that happens after a claim is lost, however many workers there are: no worker remembers for itself that an instance is not ours,
 * and before it drops a signal for that reason it reads the item consistently. So a signal that was dropped was handled before the claim.
 * EC2 is asked for the state once more after the claim, which shows what that signal was about; and again a minute later, for
 * DescribeInstances may lag behind.
 */
export const establishOwners = (parts: OwnershipParts) => {
  const { fleet, ask, reasons, now } = parts;
  const enact = enactVerdict(parts);

  return async (lanes: readonly Lane[]): Promise<Owners> => {
    if (lanes.length === 0) return { ours: [], undecided: new Map() };
    const remembered = await recall(lanes);
    const answers = await ask(lanes.filter((lane) => mustAsk(evidenceOf(lane, remembered), lane)));

    const enacted: Enacted[] = [];
    const undecided = new Map<Lane, ProviderError>();
    const settle = async (lane: Lane) => {
      const evidence = { ...evidenceOf(lane, remembered), described: answerFor(lane, answers) };
      try {
        if (evidence.remembered.owner === 'unreadable') throw evidence.remembered.error;
        enacted.push(...(await enact(lane, decideOwner(evidence, parts, now()), evidence)));
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        undecided.set(lane, error);
      }
    };
    await Promise.all(lanes.map(settle));

    const late = enacted.filter((one) => isLateClaim(one, remembered));
    const afterClaim = await ask(late.map(({ lane }) => lane));
    const ours = enacted.map((one) => {
      const isLate = late.includes(one);
      return owned(one, isLate, answerFor(one.lane, isLate ? afterClaim : answers));
    });
    return { ours, undecided };
  };

  /** What the fleet remembers; of instances that seem not to be ours as all writes so far have left it. */
  async function recall(lanes: readonly Lane[]): Promise<ReadonlyMap<string, Recollection>> {
    const remembered = new Map(await fleet.recall(lanes.map(({ instanceId }) => instanceId)));
    const reread = async ([instanceId, { owner }]: readonly [string, Recollection]) => {
      if (owner !== 'others') return;
      const held = await fleet.reread(instanceId);
      if (held.outcome !== 'unknown') remembered.set(instanceId, { owner: 'us', vm: held.vm });
    };
    await Promise.all([...remembered].map(reread));
    return remembered;
  }

  function mustAsk(evidence: Evidence, lane: Lane): boolean {
    const { remembered } = evidence;
    const held = remembered.owner === 'us' ? remembered.vm : undefined;
    return (
      mustAskEc2(evidence, parts) ||
      (!hasObservation(lane) && isStateWanted(evidence, lane, held)) ||
      (held !== undefined && (reasons.isUnexplained(lane, held) || hasUnexplainedFallback(lane, held))) ||
      ((held !== undefined || isTaggedAsOurs(evidence)) && isAddressWanted(lane, held))
    );
  }

  /** It was tagged while it ran, or its state is to be checked. */
  function isStateWanted(evidence: Evidence, lane: Lane, held: Vm | undefined): boolean {
    if (held?.state !== undefined) return hasClaimCheck(lane) || checkIn(lane, held) !== undefined;
    return isTaggedAsOurs(evidence);
  }

  function isTaggedAsOurs({ tagChange }: Evidence): boolean {
    return tagChange !== undefined && vmIdOf(tagChange.tags, parts.tagKeys, parts.provider) !== undefined;
  }

  /** It became ours by a tag change, or was known not to be ours. Also where that was done and what follows was not. */
  function isLateClaim({ lane, isClaimed }: Enacted, remembered: ReadonlyMap<string, Recollection>): boolean {
    if (!isClaimed) return isRetried(lane) && newestTagChange(lane) !== undefined;
    return !hasObservation(lane) || remembered.get(lane.instanceId)?.owner === 'others';
  }

  function owned({ lane, vm }: Enacted, isLate: boolean, described: Evidence['described']): Owned {
    const answer = describedState({ lane, vm, isLate, described }, now());
    const seen = described === 'absent' ? undefined : described;
    const told = lane.signals.map((signal) => withAddresses(signal, seen));
    const signals = [...(answer ? [answer] : []), ...told];
    return { lane, vm, answer, signals, described: seen, needsClaimCheck: isLate };
  }
};

/** An instance of another account is none that the events of this one are about. */
const answerFor = ({ instanceId, account }: Lane, answers: Answers): Evidence['described'] => {
  const answer = answers.get(instanceId);
  return answer === undefined || answer === 'absent' || answer.account === account ? answer : 'absent';
};

/** RUNNING is about to be published, and neither the lane nor the fleet tells all its addresses. */
const isAddressWanted = (lane: Lane, held: Vm | undefined): boolean => {
  if (isTerminated(lane)) return false;
  const running = lane.signals.filter(isRunning);
  const isNew = running.length > 0 || held?.outbox.some(({ status }) => status === 'RUNNING') === true;
  if (!isNew && held?.state !== 'running') return false;
  const isTold = (address: 'privateAddress' | 'publicAddress') => running.some((seen) => seen[address]);
  const lacksPrivate = held?.privateAddress === undefined && !isTold('privateAddress');
  const lacksPublic = isNew && held !== undefined && lacksPublicAddress(held) && !isTold('publicAddress');
  return lacksPrivate || lacksPublic;
};

const isRunning = (signal: Signal): signal is Observation =>
  signal.kind === 'observation' && signal.state === 'running';

const evidenceOf = (lane: Lane, remembered: ReadonlyMap<string, Recollection>): Evidence => ({
  remembered: remembered.get(lane.instanceId) ?? { owner: 'unknown' },
  tagChange: newestTagChange(lane),
  seenAtMs: Math.min(...lane.signals.map(({ at }) => at * 1000)),
  launchedAtMs: launchTimeOf(lane),
  terminated: isTerminated(lane),
});

/** By its `pending`, which EC2 reports at a launch and at a start. */
const launchTimeOf = ({ signals }: Lane): number | undefined => {
  const pending = signals.find((signal) => signal.kind === 'observation' && signal.state === 'pending');
  return pending && pending.at * 1000;
};

/** All that is known of whose an instance is. */
export type Evidence = {
  readonly remembered: Recollection;
  /** The newest one in this batch. */
  readonly tagChange?: Pick<TagChange, 'tags' | 'at' | 'clientToken'> | undefined;
  /** EC2's answer: `absent` where it does not know the instance, undefined where it was not asked. */
  readonly described?: Instance | 'absent' | undefined;
  /** Milliseconds since 1970 of the oldest signal in this batch: the instance is at least this old. */
  readonly seenAtMs: number;
  /** Milliseconds since 1970 of the launch that an event in this batch reported; undefined where none did. */
  readonly launchedAtMs?: number | undefined;
  readonly terminated: boolean;
};

export type Verdict =
  /** `claim` where the fleet does not say so yet, or says another DCM id. */
  | { readonly owner: 'us'; readonly vmId: string; readonly claim: boolean }
  /** `forSure` where the answer will not change by itself, so that it can be remembered. */
  | { readonly owner: 'others'; readonly forSure: boolean }
  /** Ours until now; somebody took our tags off a living instance. */
  | { readonly owner: 'nobody' }
  /** Launched moments ago, its tags not there yet; or EC2 does not show yet what a tag change says. */
  | { readonly owner: 'undecided' };

/** Who we are. */
export type Identity = { readonly tagKeys: TagKeys; readonly provider: string };

/**
 * Only EC2 can tell: nothing is known, or tags say something else than what is remembered, and tag changes come late and out of order.
 * It is also asked before a claim that an event leads to, for the client token: no event has it.
 */
export const mustAskEc2 = ({ remembered, tagChange }: Evidence, { tagKeys, provider }: Identity): boolean => {
  if (tagChange === undefined) return remembered.owner === 'unknown';
  const tagged = vmIdOf(tagChange.tags, tagKeys, provider);
  if (remembered.owner === 'us') return tagged !== remembered.vm.vmId;
  if (remembered.owner === 'unknown') return tagged !== undefined && tagChange.clientToken === undefined;
  return remembered.owner === 'others' && tagged !== undefined;
};

/** Whose an instance is. Pure, so that every combination can be tried. */
export const decideOwner = (evidence: Evidence, { tagKeys, provider }: Identity, nowMs: number): Verdict => {
  const idOf = (tags: Tags | undefined) => tags && vmIdOf(tags, tagKeys, provider);
  const { remembered, tagChange } = evidence;
  const tagged = idOf(tagChange?.tags);

  if (remembered.owner === 'us') {
    const { vmId } = remembered.vm;
    const isKept = tagChange === undefined || tagged === vmId;
    return isKept ? { owner: 'us', vmId, claim: false } : afterTagsChanged(evidence, { idOf, vmId, nowMs });
  }
  if (tagged !== undefined) return afterTagging(evidence, { idOf, vmId: tagged, nowMs });
  if (remembered.owner === 'others') return { owner: 'others', forSure: true };
  if (tagChange !== undefined) return { owner: 'others', forSure: false };
  return byEc2(evidence, { idOf, nowMs });
};

type Known = {
  readonly idOf: (tags: Tags | undefined) => string | undefined;
  /** That of the fleet, or of the tag change. */
  readonly vmId: string;
  readonly nowMs: number;
};

/** A terminated instance loses its tags by itself: only a living one without them, or with another DCM id, is another VM, or none. */
const afterTagsChanged = (evidence: Evidence, { idOf, vmId, nowMs }: Known): Verdict => {
  const { described, tagChange } = evidence;
  if (described === undefined) return { owner: 'undecided' };
  if (!isLiving(described)) return { owner: 'us', vmId, claim: false };
  const found = idOf(described.tags);
  if (found !== idOf(tagChange?.tags) && mayLag(evidence, nowMs)) return { owner: 'undecided' };
  return found === undefined ? { owner: 'nobody' } : { owner: 'us', vmId: found, claim: found !== vmId };
};

/** An instance that was not ours, or not known, has our tags. */
const afterTagging = (evidence: Evidence, known: Known): Verdict => {
  const { described, terminated } = evidence;
  if (isProofEnough(evidence, known.nowMs)) return { owner: 'us', vmId: known.vmId, claim: true };
  const isMissing =
    described === 'absent' || (isLiving(described) && known.idOf(described.tags) === undefined);
  return isMissing && !terminated && mayLag(evidence, known.nowMs)
    ? { owner: 'undecided' }
    : byEc2(evidence, known);
};

/** The tag change says whose an instance is that nothing is known of: a listing shows its token too, or EC2 shows no more that it had tags. */
const isProofEnough = (evidence: Evidence, nowMs: number): boolean => {
  const { remembered, described, tagChange, terminated } = evidence;
  if (remembered.owner !== 'unknown') return false;
  if (described === undefined) return tagChange?.clientToken !== undefined;
  if (described === 'absent') return terminated || !mayLag(evidence, nowMs);
  return !isLiving(described);
};

const isLiving = (described: Evidence['described']): described is Instance =>
  described !== undefined &&
  described !== 'absent' &&
  described.state !== 'shutting-down' &&
  described.state !== 'terminated';

const tagLagMs = 30_000;

/** Tags were changed so short a while ago that DescribeInstances may not show it yet. */
const mayLag = ({ tagChange }: Evidence, nowMs: number): boolean =>
  tagChange !== undefined && nowMs - tagChange.at * 1000 < tagLagMs;

/** Only a launch that EC2 reports makes an instance recently launched: a recent event may be about an old one. */
const byEc2 = (
  { described, seenAtMs, launchedAtMs, terminated }: Evidence,
  { idOf, nowMs }: Pick<Known, 'idOf' | 'nowMs'>,
): Verdict => {
  if (described === undefined) return { owner: 'undecided' };
  const found = described === 'absent' ? undefined : described;
  const vmId = idOf(found?.tags);
  if (vmId !== undefined) return { owner: 'us', vmId, claim: true };
  if (terminated) return { owner: 'others', forSure: false };
  const launchMs = found ? found.launchedAtMs : launchedAtMs;
  const isRecent = launchMs !== undefined && isYoung(launchMs, nowMs);
  const tagsArrived = Object.keys(found?.tags ?? {}).length > 0; // EC2 puts a launch's tags on all at once
  if (isRecent && !tagsArrived) return { owner: 'undecided' };
  return { owner: 'others', forSure: found !== undefined || !isYoung(seenAtMs, nowMs) };
};

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
const enactVerdict = (parts: EnactmentParts) => {
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
