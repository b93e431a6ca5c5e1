import { checkedState, secondsToCheck } from '../../shared/core/follow-up.ts';
import { isStateKey, secondOfKey, sequenceOf } from '../../shared/core/gate.ts';
import { defaultBurst, releaseOf, settleSeconds } from '../../shared/core/outbox.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { loggedTarget, targetKey, targetOf, targetOfKey } from '../../shared/core/target.ts';
import type { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { checkRequestedEvent, claimCheckEvent, statusSettledEvent } from '../../shared/wire/own-messages.ts';
import type { Published } from './deliver.ts';
import type { Parts } from './normalise.ts';
import { checkIn, isRedelivered, type MessageGroup } from './read-message.ts';
import type { RecordedGroup } from './record.ts';

/**
 * Queues follow-ups: publish statuses that the debounce held back, put on the status bus what it has not taken, check with EC2 whether a transition is over, or read the state of a
 * claimed instance. The messages that led to a follow-up count as processed only once it is queued, so none can be lost.
 * @returns why a follow-up could not be queued, by group.
 */
export const queueFollowUps =
  ({ observations, burst = defaultBurst, now }: Pick<Parts, 'observations' | 'burst' | 'now'>) =>
  async (recorded: readonly RecordedGroup[]): Promise<ReadonlyMap<MessageGroup, unknown>> => {
    const failures = new Map<MessageGroup, unknown>();
    const followUps = recorded.flatMap((one) =>
      [settling(one), check(one), claimCheck(one), forwarding(one)].flatMap((followUp) =>
        followUp ? [{ ...followUp, group: one.group }] : [],
      ),
    );
    await Promise.all([...new Set(followUps.map(({ afterSeconds }) => afterSeconds))].map(queue));
    return failures;

    async function queue(afterSeconds: number) {
      const due = followUps.filter((one) => one.afterSeconds === afterSeconds);
      try {
        await observations.send(
          due.map(({ event }) => event),
          afterSeconds,
        );
      } catch (error) {
        for (const { group } of due) failures.set(group, error);
      }
    }

    /** One for all held-back statuses. The worker that added the first one queues it; so does a redelivery, in case that worker failed. */
    function settling({ vm, added, hasRepeats }: RecordedGroup): FollowUp | undefined {
      const [first] = releaseOf(vm, { burst, nowMs: now() }).heldBack;
      if (first === undefined || !(hasRepeats || added.has(first.key))) return undefined;
      const event = statusSettledEvent({ ...about(vm, first.key), key: first.key });
      return { event, afterSeconds: settleSeconds };
    }

    /** A message that settles nothing: only the resource's item is read, and what is in it put on the bus. */
    function forwarding({ vm }: RecordedGroup): FollowUp | undefined {
      const [first] = vm.unforwarded ?? [];
      if (first === undefined) return undefined;
      const event = statusSettledEvent({ ...about(vm, first.key), key: settlesNothing });
      return { event, afterSeconds: forwardAgainSeconds };
    }

    function claimCheck({ vm, needsClaimCheck }: RecordedGroup): FollowUp | undefined {
      if (!needsClaimCheck) return undefined;
      const { resourceId, region, account } = vm;
      const at = Math.floor(now() / 1000);
      const event = claimCheckEvent({ 'instance-id': resourceId, region, account, at });
      return { event, afterSeconds: claimCheckSeconds };
    }

    function check(one: RecordedGroup): FollowUp | undefined {
      const key = checkedState(one.vm);
      if (key === undefined) return undefined;
      const attempt = nextAttempt(one, key);
      const afterSeconds = attempt && secondsToCheck(one.vm.kind, key, attempt, now());
      return afterSeconds === undefined || attempt === undefined
        ? undefined
        : { event: checkRequestedEvent({ ...about(one.vm, key), key, turn: attempt }), afterSeconds };
    }
  };

/** Sorts before every key. */
const settlesNothing = '0';
const forwardAgainSeconds = 30;

/** By then a state that was recorded at the claim is a minute old, so EC2's answer cannot be older (core/listing/doubt.ts). */
const claimCheckSeconds = 75;

type FollowUp = { readonly event: EventBridgeEvent; readonly afterSeconds: number };

/** A duplicate event does not start a second series of checks. */
const nextAttempt = ({ group, vm, added }: RecordedGroup, key: string): number | undefined => {
  const checked = checkIn(group, vm);
  if (checked) return checked.attempt + 1;
  const isAboutIt = group.resourceMessages.some(
    (resourceMessage) =>
      resourceMessage.kind === 'observation' && String(sequenceOf(vm.kind, resourceMessage)) === key,
  );
  return added.has(key) || (isRedelivered(group) && isAboutIt) ? 1 : undefined;
};

const about = ({ resourceId, region, account }: Resource, key: string) => ({
  'instance-id': resourceId,
  region,
  account,
  at: secondOfKey(key),
});

/** Longer than any redelivery takes while the pipeline is healthy. */
const longMs = 15 * 60_000;

/**
 * After a long outage DCM may also have lost earlier statuses: its stream may have been created anew. So a change that is published this
 * late has every status of the region republished, at most once in a quarter of an hour.
 */
export const republishAfterOutage = ({
  listings,
  homeAccount,
  accounts = {},
  now,
  log,
}: Pick<Parts, 'listings' | 'homeAccount' | 'accounts' | 'now' | 'log'>) => {
  const requestedAtMs = new Map<string, number>();

  return async (published: readonly Published[]): Promise<void> => {
    const late = published.filter(({ acknowledged }) => acknowledged.some(isLate));
    await Promise.all([...new Set(late.map(({ vm }) => targetKey(targetOf(vm, homeAccount))))].map(request));
  };

  /** Only for changes: the time of a notice may be long ago, and the time of a request does not show a delay. */
  function isLate({ key, at }: Published['acknowledged'][number]): boolean {
    return isStateKey(key) && now() - at * 1000 > longMs;
  }

  async function request(key: string) {
    const target = targetOfKey(key);
    const region = loggedTarget(accounts, target);
    const before = requestedAtMs.get(key);
    if (before !== undefined && now() - before < longMs) return;
    requestedAtMs.set(key, now());
    try {
      await listings.requestRepublication(target, Math.floor(now() / 1000));
      log.info('statuses were published long after they changed; the region is republished', { region });
    } catch (error) {
      requestedAtMs.delete(key);
      log.warn('a region could not be marked for republication after an outage', { region, error });
    }
  }
};
