import { isYoung } from '../../shared/domain/instance.ts';
import type { TagChange } from '../../shared/domain/signal.ts';
import { type TagKeys, type Tags, vmIdOf } from '../../shared/domain/tags.ts';
import type { Recollection } from '../../shared/ports/fleet.ts';
import type { Instance } from '../../shared/ports/instances.ts';

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
