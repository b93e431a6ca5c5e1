import { LRUCache } from 'lru-cache';
import { ProviderError } from '../../shared/domain/errors.ts';
import { vmIdOf } from '../../shared/domain/tags.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet, Recollection } from '../../shared/ports/fleet.ts';
import type { Log } from '../../shared/ports/log.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { AdoptionParts } from './adopt-instance.ts';
import type { Answers } from './ask-ec2.ts';
import { decideOwner, type Evidence, type Identity, mustAskEc2 } from './decide-owner.ts';
import { enactVerdict, type Owned } from './enact-verdict.ts';
import {
  checkIn,
  hasObservation,
  hasUnexplainedFallback,
  isTerminated,
  type Lane,
  newestTags,
} from './lanes.ts';
import type { Terminations } from './terminations.ts';

const rememberForeignMs = 5 * 60_000;
const maximumForeign = 50_000;

export type OwnershipParts = Identity &
  AdoptionParts & {
    readonly fleet: Fleet;
    readonly ask: (questions: readonly Lane[]) => Promise<Answers>;
    readonly reasons: Terminations;
    readonly now: Clock;
    readonly meter: Meter;
    readonly log: Log;
  };

export type Owners = {
  readonly ours: readonly Owned[];
  /** Why nothing can be done about these yet. */
  readonly undecided: ReadonlyMap<Lane, ProviderError>;
};

/**
 * Tells our VMs from everybody else's instances, in this order, so that a warm function asks nobody: memory, one batched read of the
 * fleet, one filtered DescribeInstances a region. Claims what turns out to be ours and remembers what is not.
 */
export const establishOwners = (parts: OwnershipParts) => {
  const { fleet, ask, reasons, now, meter } = parts;
  const foreign = new LRUCache<string, true>({ max: maximumForeign, ttl: rememberForeignMs, perf: { now } });
  const enact = enactVerdict({ ...parts, foreign });

  return async (lanes: readonly Lane[]): Promise<Owners> => {
    const open = lanes.filter((lane) => newestTags(lane) !== undefined || !foreign.has(lane.instanceId));
    meter.count('foreign', lanes.length - open.length);
    if (open.length === 0) return { ours: [], undecided: new Map() };

    const remembered = await fleet.recall(open.map(({ instanceId }) => instanceId));
    const questions = open.filter((lane) => mustAsk(evidenceOf(lane, remembered), lane));
    const answers = await ask(questions);

    const ours: Owned[] = [];
    const undecided = new Map<Lane, ProviderError>();
    const settle = async (lane: Lane) => {
      const evidence = { ...evidenceOf(lane, remembered), described: answers.get(lane.instanceId) };
      try {
        if (evidence.remembered.owner === 'unreadable') throw evidence.remembered.error;
        ours.push(...(await enact(lane, decideOwner(evidence, parts, now()), evidence)));
      } catch (error) {
        if (!(error instanceof ProviderError)) throw error;
        undecided.set(lane, error);
      }
    };
    await Promise.all(open.map(settle));
    return { ours, undecided };
  };

  function mustAsk(evidence: Evidence, lane: Lane): boolean {
    const { remembered } = evidence;
    const held = remembered.owner === 'us' ? remembered.vm : undefined;
    return (
      mustAskEc2(evidence, parts) ||
      (!hasObservation(lane) && isStateWanted(evidence, lane, held)) ||
      (held !== undefined && (reasons.isUnexplained(lane, held) || hasUnexplainedFallback(lane, held)))
    );
  }

  /** It was tagged while it ran, or a transition of it is to be checked. */
  function isStateWanted({ tags }: Evidence, lane: Lane, held: Vm | undefined): boolean {
    if (held?.state !== undefined) return checkIn(lane, held) !== undefined;
    return tags !== undefined && vmIdOf(tags, parts.tagKeys, parts.provider) !== undefined;
  }
};

const evidenceOf = (lane: Lane, remembered: ReadonlyMap<string, Recollection>): Evidence => ({
  remembered: remembered.get(lane.instanceId) ?? { owner: 'unknown' },
  tags: newestTags(lane),
  seenAtMs: Math.min(...lane.signals.map(({ at }) => at * 1000)),
  launchedAtMs: launchTimeOf(lane),
  terminated: isTerminated(lane),
});

/** By its `pending`, which EC2 reports at a launch and at a start. */
const launchTimeOf = ({ signals }: Lane): number | undefined => {
  const pending = signals.find((signal) => signal.kind === 'observation' && signal.state === 'pending');
  return pending && pending.at * 1000;
};
