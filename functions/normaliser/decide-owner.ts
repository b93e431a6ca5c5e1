import { isYoung } from '../../shared/domain/instance.ts';
import { type TagKeys, type Tags, vmIdOf } from '../../shared/domain/tags.ts';
import type { Recollection } from '../../shared/ports/fleet.ts';
import type { Instance } from '../../shared/ports/instances.ts';

/** All that is known of whose an instance is. */
export type Evidence = {
  readonly remembered: Recollection;
  /** From a tag-change event in this batch. */
  readonly tags?: Tags | undefined;
  /** EC2's answer: `absent` where it does not know the instance, undefined where it was not asked. */
  readonly described?: Instance | 'absent' | undefined;
  /** Milliseconds since 1970 of the oldest signal in this batch: the instance is at least this old. */
  readonly seenAtMs: number;
  /** Milliseconds since 1970 of the launch that an event in this batch reported; undefined where none did. */
  readonly launchedAtMs?: number | undefined;
  readonly terminated: boolean;
};

export type Verdict =
  /** `claim` where the fleet does not say so yet. */
  | { readonly owner: 'us'; readonly vmId: string; readonly claim: boolean }
  /** `forSure` where the answer will not change by itself, so that it can be remembered. */
  | { readonly owner: 'others'; readonly forSure: boolean }
  /** Ours until now; somebody took our tags off a living instance. */
  | { readonly owner: 'nobody' }
  /** Launched moments ago, its tags not there yet. */
  | { readonly owner: 'undecided' };

/** Who we are. */
export type Identity = { readonly tagKeys: TagKeys; readonly provider: string };

/** Only EC2 can tell: nothing is known, or tags say something else than what is remembered, and tag changes come late and out of order. */
export const mustAskEc2 = ({ remembered, tags }: Evidence, { tagKeys, provider }: Identity): boolean => {
  if (tags === undefined) return remembered.owner === 'unknown';
  const tagged = vmIdOf(tags, tagKeys, provider) !== undefined;
  return (remembered.owner === 'us' && !tagged) || (remembered.owner === 'others' && tagged);
};

/** Whose an instance is. Pure, so that every combination can be tried. */
export const decideOwner = (evidence: Evidence, { tagKeys, provider }: Identity, nowMs: number): Verdict => {
  const idOf = (tags: Tags | undefined) => tags && vmIdOf(tags, tagKeys, provider);
  const { remembered, tags } = evidence;
  const tagged = idOf(tags);

  if (remembered.owner === 'us') {
    const { vmId } = remembered.vm;
    if (tags === undefined) return { owner: 'us', vmId, claim: false };
    return tagged === undefined
      ? afterTagsWent(evidence, idOf, vmId)
      : { owner: 'us', vmId: tagged, claim: tagged !== vmId };
  }
  if (remembered.owner === 'others' && tagged === undefined) return { owner: 'others', forSure: true };
  if (remembered.owner === 'unknown' && tagged !== undefined)
    return { owner: 'us', vmId: tagged, claim: true };
  if (remembered.owner === 'unknown' && tags !== undefined) return { owner: 'others', forSure: false };
  return byEc2(evidence, idOf, nowMs);
};

type IdOf = (tags: Tags | undefined) => string | undefined;

/** A terminated instance loses its tags by itself: only a living one without them is ours no more. */
const afterTagsWent = ({ described }: Evidence, idOf: IdOf, vmId: string): Verdict => {
  if (described === undefined) return { owner: 'undecided' };
  const living =
    described !== 'absent' && described.state !== 'shutting-down' && described.state !== 'terminated';
  return living && idOf(described.tags) === undefined
    ? { owner: 'nobody' }
    : { owner: 'us', vmId, claim: false };
};

/** Only a launch that EC2 reports makes an instance recently launched: a recent event may be about an old one. */
const byEc2 = (
  { described, seenAtMs, launchedAtMs, terminated }: Evidence,
  idOf: IdOf,
  nowMs: number,
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
