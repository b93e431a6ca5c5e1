import { checkedState, secondsToCheck } from '../../shared/core/follow-up.ts';
import { isStateKey, secondOfKey, sequenceOf } from '../../shared/core/gate.ts';
import { releaseOf, settleSeconds } from '../../shared/core/outbox.ts';
import type { Resource } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Listings } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { checkRequestedEvent, claimCheckEvent, statusSettledEvent } from '../../shared/wire/own-messages.ts';
import type { Published } from './deliver.ts';
import { checkIn, isRetried, type MessageGroup } from './message-groups.ts';
import type { RecordedGroup } from './record.ts';

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
  async (recorded: readonly RecordedGroup[]): Promise<ReadonlyMap<MessageGroup, unknown>> => {
    const failures = new Map<MessageGroup, unknown>();
    const looks = recorded.flatMap((one) =>
      [settling(one), check(one), claimCheck(one)].flatMap((look) =>
        look ? [{ ...look, group: one.group }] : [],
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
        for (const { group } of due) failures.set(group, error);
      }
    }

    /** One for all that is held back: whoever added the first of it queues it, and whoever cannot know whether that one could. */
    function settling({ vm, added, hasRepeats }: RecordedGroup): Look | undefined {
      const [first] = releaseOf(vm, { burst, nowMs: now() }).heldBack;
      if (first === undefined || !(hasRepeats || added.has(first.key))) return undefined;
      const event = statusSettledEvent({ ...about(vm, first.key), key: first.key });
      return { event, afterSeconds: settleSeconds };
    }

    function claimCheck({ vm, needsClaimCheck }: RecordedGroup): Look | undefined {
      if (!needsClaimCheck) return undefined;
      const { resourceId, region, account } = vm;
      const at = Math.floor(now() / 1000);
      const event = claimCheckEvent({ 'instance-id': resourceId, region, account, at });
      return { event, afterSeconds: claimCheckSeconds };
    }

    function check(one: RecordedGroup): Look | undefined {
      const key = checkedState(one.vm);
      if (key === undefined) return undefined;
      const turn = nextTurn(one, key);
      const afterSeconds = turn && secondsToCheck(one.vm.kind, key, turn, now());
      return afterSeconds === undefined || turn === undefined
        ? undefined
        : { event: checkRequestedEvent({ ...about(one.vm, key), key, turn }), afterSeconds };
    }
  };

/** A state that was recorded at the claim is a minute old by then, so that no answer of EC2 can be older than it (core/listing/doubt.ts). */
const claimCheckSeconds = 75;

type Look = { readonly event: EventBridgeEvent; readonly afterSeconds: number };

/** A copy of an event does not begin a second round of checks. */
const nextTurn = ({ group, vm, added }: RecordedGroup, key: string): number | undefined => {
  const checked = checkIn(group, vm);
  if (checked) return checked.attempt + 1;
  const isAboutIt = group.resourceMessages.some(
    (resourceMessage) =>
      resourceMessage.kind === 'observation' && String(sequenceOf(vm.kind, resourceMessage)) === key,
  );
  return added.has(key) || (isRetried(group) && isAboutIt) ? 1 : undefined;
};

const about = ({ resourceId, region, account }: Resource, key: string) => ({
  'instance-id': resourceId,
  region,
  account,
  at: secondOfKey(key),
});

/** Later than any retry of a healthy pipeline. */
const longMs = 15 * 60_000;

type Parts = {
  readonly listings: Pick<Listings, 'requestRepublication'>;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * After a long outage DCM may have lost more than what was waiting here: its stream may have been made anew. So a change that could be
 * told only so long after it happened has the region's statuses told once more, in a quarter of an hour at most once.
 */
export const afterOutage = ({ listings, now, log }: Parts) => {
  const wantedAtMs = new Map<string, number>();

  return async (published: readonly Published[]): Promise<void> => {
    const late = published.filter(({ told }) => told.some(isLate));
    await Promise.all([...new Set(late.map(({ vm }) => vm.region))].map(want));
  };

  /** Only changes: the time of a warning may be long ago, and that of a request says nothing. */
  function isLate({ key, at }: Published['told'][number]): boolean {
    return isStateKey(key) && now() - at * 1000 > longMs;
  }

  async function want(region: string) {
    const before = wantedAtMs.get(region);
    if (before !== undefined && now() - before < longMs) return;
    wantedAtMs.set(region, now());
    try {
      await listings.requestRepublication({ region }, Math.floor(now() / 1000));
      log.info('statuses were told long after they changed; the region is republished', { region });
    } catch (error) {
      wantedAtMs.delete(region);
      log.warn('a region could not be marked for republication after an outage', { region, error });
    }
  }
};
