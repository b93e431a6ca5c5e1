import { describe, expect, it } from 'vitest';
import {
  type Decision,
  decideOwner,
  type Evidence,
  mustAskService,
} from '../../../functions/normaliser/ownership.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { described } from '../../fakes/scripted-instances.ts';
import { dcmId, halfPastTen, ourTags, resourceId, tagKeys } from '../../fixtures/resource-messages.ts';

const nowMs = halfPastTen * 1000;
const recentlyLaunched = nowMs - 119_999;
const old = nowMs - 120_000;

const identity = { tagKeys, provider: 'ec2-sp' };
const retagged = { ...ourTags, 'dcm-instance-id': 'another' };
const theirs = { ...ourTags, 'dcm-provider': 'ec2-sp-2' };

const claim = { resourceId, dcmId, region: 'us-east-1', account: '123456789012' };
const vm = { kind: vmKind, ...claim, sequence: 0, outbox: [], history: [] };
const us = { remembered: { owner: 'ours', vm } } as const;
const others = { remembered: { owner: 'foreign' } } as const;
const unknown = { remembered: { owner: 'unknown' } } as const;

/** Tags that were changed long ago. */
const saying = (tags: Record<string, string>) => ({ tagChange: { tags, at: 0 } });

const tagless = (state: Parameters<typeof described>[0]['state'] = 'running') => described({ state });
const launched = (launchedAtMs: number, tags = {}) => described({ launchedAtMs, tags });

const ours = { owner: 'ours', dcmId, claim: false } as const;
const claimed = { owner: 'ours', dcmId, claim: true } as const;
const forSure = { owner: 'foreign', forSure: true } as const;
const probably = { owner: 'foreign', forSure: false } as const;
const undecided = { owner: 'undecided' } as const;
const nobody = { owner: 'ownership-removed' } as const;

type Row = readonly [
  when: string,
  known: Partial<Evidence> & Pick<Evidence, 'remembered'>,
  verdict: Decision,
];

const decided: readonly Row[] = [
  ['it is remembered as ours', us, ours],
  ['it is remembered as ours and terminated', { ...us, hasEnded: true }, ours],
  ['it is remembered as ours and its tags say so', { ...us, ...saying(ourTags) }, ours],
  ['it is remembered as others’', others, forSure],
  ['it is remembered as others’ and its tags say so', { ...others, ...saying(theirs) }, forSure],
  [
    'it is not remembered and a listing shows our tags and its client token',
    { ...unknown, tagChange: { tags: ourTags, at: 0, clientToken: '' } },
    claimed,
  ],
  ['it is not remembered and has no tags', { ...unknown, ...saying({}) }, probably],
  [
    'it is not remembered and has another provider’s tags (C2-18)',
    { ...unknown, ...saying(theirs) },
    probably,
  ],
];

const askedBecauseTagsAreGone: readonly Row[] = [
  ['EC2 knows it pending', { ...us, ...saying({}), described: tagless('pending') }, nobody],
  ['EC2 knows it running', { ...us, ...saying({}), described: tagless('running') }, nobody],
  ['EC2 knows it stopping', { ...us, ...saying({}), described: tagless('stopping') }, nobody],
  ['EC2 knows it stopped', { ...us, ...saying({}), described: tagless('stopped') }, nobody],
  ['another provider took it', { ...us, ...saying(theirs), described: launched(old, theirs) }, nobody],
  ['EC2 still knows the tags', { ...us, ...saying({}), described: launched(old, ourTags) }, ours],
  ['it is shutting down', { ...us, ...saying({}), described: tagless('shutting-down') }, ours],
  ['it is terminated', { ...us, ...saying({}), described: tagless('terminated') }, ours],
  ['EC2 does not know it', { ...us, ...saying({}), described: 'absent' }, ours],
  ['EC2 did not answer', { ...us, ...saying({}) }, undecided],
];

const moved = { owner: 'ours', dcmId: 'another', claim: true } as const;
const justNow = { tagChange: { tags: retagged, at: halfPastTen - 29 } };

const askedBecauseTheIdIsAnother: readonly Row[] = [
  ['EC2 knows it too', { ...us, ...saying(retagged), described: launched(old, retagged) }, moved],
  ['EC2 knows the one before', { ...us, ...saying(retagged), described: launched(old, ourTags) }, ours],
  ['EC2 does not show it yet', { ...us, ...justNow, described: launched(old, ourTags) }, undecided],
  ['EC2 knows no tags of ours', { ...us, ...saying(retagged), described: launched(old) }, nobody],
  ['it is terminated', { ...us, ...saying(retagged), described: tagless('terminated') }, ours],
  ['EC2 does not know it', { ...us, ...saying(retagged), described: 'absent' }, ours],
  ['EC2 did not answer', { ...us, ...saying(retagged) }, undecided],
];

const askedForTheClientToken: readonly Row[] = [
  ['EC2 knows them too', { ...unknown, ...saying(ourTags), described: launched(old, ourTags) }, claimed],
  ['EC2 knows another id', { ...unknown, ...saying(ourTags), described: launched(old, retagged) }, moved],
  ['EC2 does not show them', { ...unknown, ...saying(ourTags), described: launched(old) }, forSure],
  [
    'EC2 does not show them yet',
    { ...unknown, tagChange: { tags: ourTags, at: halfPastTen - 29 }, described: launched(old) },
    undecided,
  ],
  ['it is terminated', { ...unknown, ...saying(ourTags), described: tagless('terminated') }, claimed],
  [
    'EC2 does not know it yet',
    { ...unknown, tagChange: { tags: ourTags, at: halfPastTen - 29 }, described: 'absent' },
    undecided,
  ],
  ['EC2 does not know it any more', { ...unknown, ...saying(ourTags), described: 'absent' }, claimed],
  ['EC2 did not answer', { ...unknown, ...saying(ourTags) }, undecided],
];

const askedBecauseTagsAreNew: readonly Row[] = [
  [
    'EC2 knows them too',
    { ...others, ...saying(ourTags), described: launched(recentlyLaunched, ourTags) },
    claimed,
  ],
  ['EC2 does not know them', { ...others, ...saying(ourTags), described: launched(old) }, forSure],
  [
    'EC2 knows another provider’s',
    { ...others, ...saying(ourTags), described: launched(old, theirs) },
    forSure,
  ],
  ['EC2 did not answer', { ...others, ...saying(ourTags) }, undecided],
];

const askedBecauseNothingIsKnown: readonly Row[] = [
  ['EC2 did not answer', unknown, undecided],
  ['EC2 did not answer and it is terminated', { ...unknown, hasEnded: true }, undecided],
  ['EC2 knows our tags', { ...unknown, described: launched(recentlyLaunched, ourTags) }, claimed],
  [
    'EC2 still knows our tags and it is terminated',
    { ...unknown, hasEnded: true, described: launched(old, ourTags) },
    claimed,
  ],
  ['it was launched moments ago', { ...unknown, described: launched(recentlyLaunched) }, undecided],
  [
    'it was launched moments ago and others’ tags are there',
    { ...unknown, described: launched(recentlyLaunched, { Name: 'web-1' }) },
    forSure,
  ],
  [
    'it was launched moments ago and is terminated',
    { ...unknown, hasEnded: true, described: launched(recentlyLaunched) },
    probably,
  ],
  ['it was launched two minutes ago', { ...unknown, described: launched(old) }, forSure],
  ['it was launched two minutes ago by others', { ...unknown, described: launched(old, theirs) }, forSure],
  [
    'EC2 has reported its launch and does not describe it yet',
    { ...unknown, described: 'absent', seenAtMs: recentlyLaunched, launchedAtMs: recentlyLaunched },
    undecided,
  ],
  [
    'a recent event is about an instance that EC2 does not know',
    { ...unknown, described: 'absent', seenAtMs: recentlyLaunched },
    probably,
  ],
  [
    'a recent event is about an old instance without tags',
    { ...unknown, described: launched(old), seenAtMs: recentlyLaunched },
    forSure,
  ],
  ['EC2 does not know it any more', { ...unknown, described: 'absent', seenAtMs: old }, forSure],
  [
    'EC2 does not know it any more, for it is terminated',
    {
      ...unknown,
      described: 'absent',
      seenAtMs: recentlyLaunched,
      launchedAtMs: recentlyLaunched,
      hasEnded: true,
    },
    probably,
  ],
];

const evidence = (known: Row[1]): Evidence => ({ kind: vmKind, seenAtMs: nowMs, hasEnded: false, ...known });

describe('whose an instance is', () => {
  it.each(decided)('needs no EC2 where %s', (_, known, verdict) => {
    expect(mustAskService(evidence(known), identity)).toBe(false);
    expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
  });

  it.each(askedBecauseTagsAreGone)('needs EC2 where our tags are gone: %s', (_, known, verdict) => {
    expect(mustAskService(evidence(known), identity)).toBe(true);
    expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
  });

  it.each(askedBecauseTheIdIsAnother)('needs EC2 where the DCM id is another: %s', (_, known, verdict) => {
    expect(mustAskService(evidence(known), identity)).toBe(true);
    expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
  });

  it.each(askedForTheClientToken)(
    'needs EC2 where it was not known and has our tags: %s',
    (_, known, verdict) => {
      expect(mustAskService(evidence(known), identity)).toBe(true);
      expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
    },
  );

  it.each(askedBecauseTagsAreNew)(
    'needs EC2 where it was others’ and has our tags: %s',
    (_, known, verdict) => {
      expect(mustAskService(evidence(known), identity)).toBe(true);
      expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
    },
  );

  it.each(askedBecauseNothingIsKnown)('needs EC2 where nothing is known: %s', (_, known, verdict) => {
    expect(mustAskService(evidence(known), identity)).toBe(true);
    expect(decideOwner(evidence(known), identity, nowMs)).toEqual(verdict);
  });
});

describe('whose an instance is, whatever is known', () => {
  const all = [us, others, unknown].flatMap((remembered) =>
    [undefined, {}, ourTags, retagged, theirs].flatMap((tags) =>
      [
        undefined,
        'absent' as const,
        tagless(),
        tagless('terminated'),
        launched(recentlyLaunched),
        launched(old, ourTags),
      ].flatMap((answer) =>
        [recentlyLaunched, old].flatMap((seenAtMs) =>
          [true, false].map(
            (hasEnded): Evidence => ({
              kind: vmKind,
              ...remembered,
              ...(tags && saying(tags)),
              ...{ described: answer, seenAtMs, hasEnded },
            }),
          ),
        ),
      ),
    ),
  );
  const verdicts = all.map((known) => ({ known, verdict: decideOwner(known, identity, nowMs) }));

  it('never becomes others’ by forgetting: a VM of ours stays ours until somebody takes its tags', () => {
    for (const { known, verdict } of verdicts.filter((one) => one.known.remembered.owner === 'ours')) {
      expect(verdict.owner).not.toBe('foreign');
      if (known.tagChange === undefined) expect(verdict).toEqual(ours);
    }
  });

  it('is taken from us only by tags that were seen gone and that EC2 confirms gone, of a living instance', () => {
    for (const { known } of verdicts.filter((one) => one.verdict.owner === 'ownership-removed')) {
      expect(known).toMatchObject({ remembered: us.remembered, described: { state: 'running', tags: {} } });
      expect(known.tagChange?.tags).not.toEqual(ourTags);
    }
  });

  it('is remembered as others’ for a day only where the instance is old enough to have its tags, and lives', () => {
    for (const { known, verdict } of verdicts) {
      if (known.remembered.owner !== 'unknown' || verdict.owner !== 'foreign' || !verdict.forSure) continue;
      expect(known.hasEnded).toBe(false);
      expect(known.described).not.toEqual(launched(recentlyLaunched));
      if (known.described === 'absent') expect(known.seenAtMs).toBe(old);
    }
  });
});
