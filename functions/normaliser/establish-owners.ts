import { ProviderError } from '../../shared/domain/errors.ts';
import type { Observation, Signal } from '../../shared/domain/signal.ts';
import { vmIdOf } from '../../shared/domain/tags.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import { lacksPublicAddress } from '../../shared/domain/vm-outputs.ts';
import type { Recollection } from '../../shared/ports/fleet.ts';
import type { Instance } from '../../shared/ports/instances.ts';
import type { Answers } from './ask-ec2.ts';
import { decideOwner, type Evidence, type Identity, mustAskEc2 } from './decide-owner.ts';
import { describedState, withAddresses } from './described-state.ts';
import { type Enacted, type EnactmentParts, enactVerdict } from './enact-verdict.ts';
import {
  checkIn,
  hasClaimCheck,
  hasObservation,
  hasUnexplainedFallback,
  isRetried,
  isTerminated,
  type Lane,
  newestTagChange,
} from './lanes.ts';
import type { Terminations } from './terminations.ts';

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
