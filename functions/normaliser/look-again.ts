import { releaseOf, settleSeconds } from '../../shared/domain/debounce.ts';
import { sequenceOf } from '../../shared/domain/gate.ts';
import { secondOfKey } from '../../shared/domain/status-key.ts';
import { checkedState, secondsToCheck } from '../../shared/domain/transition.ts';
import type { Vm } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import { checkWantedEvent } from '../../shared/wire/check-wanted.ts';
import { claimCheckEvent } from '../../shared/wire/claim-check.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { statusSettledEvent } from '../../shared/wire/status-settled.ts';
import { checkIn, isRetried, type Lane } from './lanes.ts';
import type { RecordedLane } from './record-signals.ts';

export type LookingParts = {
  readonly observations: Observations;
  /** How often a VM may change in ten seconds and be told of each time. */
  readonly burst: number;
  readonly now: Clock;
};

/**
 * Queues what is to be done about VMs later: to tell what was held back, to ask EC2 whether a transition is over, or what state a claimed instance is in. The messages that made
 * it necessary are done only then, so no timer can be lost.
 * @returns why it could not be queued, by lane.
 */
export const lookAgain =
  ({ observations, burst, now }: LookingParts) =>
  async (recorded: readonly RecordedLane[]): Promise<ReadonlyMap<Lane, unknown>> => {
    const failures = new Map<Lane, unknown>();
    const looks = recorded.flatMap((one) =>
      [settling(one), check(one), claimCheck(one)].flatMap((look) =>
        look ? [{ ...look, lane: one.lane }] : [],
      ),
    );
    await Promise.all([...new Set(looks.map(({ afterSeconds }) => afterSeconds))].map(queue));
    return failures;

    async function queue(afterSeconds: number) {
      const due = looks.filter((look) => look.afterSeconds === afterSeconds);
      try {
        await observations.send(
          due.map(({ event }) => event),
          afterSeconds,
        );
      } catch (error) {
        for (const { lane } of due) failures.set(lane, error);
      }
    }

    /** One for all that is held back: whoever added the first of it queues it, and whoever cannot know whether that one could. */
    function settling({ vm, added, hasRepeats }: RecordedLane): Look | undefined {
      const [first] = releaseOf(vm, { burst, nowMs: now() }).hold;
      if (first === undefined || !(hasRepeats || added.has(first.key))) return undefined;
      const event = statusSettledEvent({ ...about(vm, first.key), key: first.key });
      return { event, afterSeconds: settleSeconds };
    }

    function claimCheck({ vm, needsClaimCheck }: RecordedLane): Look | undefined {
      if (!needsClaimCheck) return undefined;
      const { instanceId, region, account } = vm;
      const at = Math.floor(now() / 1000);
      const event = claimCheckEvent({ 'instance-id': instanceId, region, account, at });
      return { event, afterSeconds: claimCheckSeconds };
    }

    function check(one: RecordedLane): Look | undefined {
      const key = checkedState(one.vm);
      if (key === undefined) return undefined;
      const turn = nextTurn(one, key);
      const afterSeconds = turn && secondsToCheck(key, turn, now());
      return afterSeconds === undefined || turn === undefined
        ? undefined
        : { event: checkWantedEvent({ ...about(one.vm, key), key, turn }), afterSeconds };
    }
  };

/** A state that was recorded at the claim is a minute old by then, so that no answer of EC2 can be older than it (domain/listing.ts). */
const claimCheckSeconds = 75;

type Look = { readonly event: EventBridgeEvent; readonly afterSeconds: number };

/** A copy of an event does not begin a second round of checks. */
const nextTurn = ({ lane, vm, added }: RecordedLane, key: string): number | undefined => {
  const checked = checkIn(lane, vm);
  if (checked) return checked.turn + 1;
  const isAboutIt = lane.signals.some(
    (signal) => signal.kind === 'observation' && String(sequenceOf(signal)) === key,
  );
  return added.has(key) || (isRetried(lane) && isAboutIt) ? 1 : undefined;
};

const about = ({ instanceId, region, account }: Vm, key: string) => ({
  'instance-id': instanceId,
  region,
  account,
  at: secondOfKey(key),
});
