import { reasonOf, UnreadableError } from '../../shared/core/errors.ts';
import { checkedState } from '../../shared/core/follow-up.ts';
import { clamped, sequenceOf } from '../../shared/core/gate.ts';
import { finalState, isStopped, type Kind, kindOf, rankOf } from '../../shared/core/kind.ts';
import type { CheckRequest, Observation, ResourceMessage, TagChange } from '../../shared/core/message.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { type Accounts, loggedTarget, targetOf } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { EventIdentity } from '../../shared/service-types/event-kind.ts';
import { eventKindOf } from '../../shared/service-types/events.ts';
import { kinds } from '../../shared/service-types/kinds.ts';
import { EventBridgeEvent } from '../../shared/wire/eventbridge.ts';
import { ownSource, refuseNewerMessage } from '../../shared/wire/own-messages.ts';

type Settings = EventIdentity & {
  /** The regions of the home account whose resources are reported. */
  readonly regions: readonly string[];
  /** Id of the home account; undefined: every account counts as it. */
  readonly account?: string | undefined;
  /** The other accounts whose resources are reported, in their own regions. */
  readonly accounts?: Accounts;
  readonly now: Clock;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * What a message of the observations queue says of resources; empty for a kind of event that is not in the registry, for an event of an
 * account that is not configured, and for an event of AWS about a region that is not reported in its account. What an event says of resources
 * of another account than its own is dropped, too. Our own messages are handled for any region, because a region that
 * is no longer reported may still have unpublished statuses.
 * @throws UnreadableError where it is not an EventBridge event, or not as AWS documents its kind; UnavailableError where it is a message of
 * our own in a newer format.
 */
export const readMessage =
  ({ regions, account, accounts = {}, provider, tagKeys, now, log, meter }: Settings) =>
  (body: string): ResourceMessage[] => {
    const event = envelope(body);
    refuseNewerMessage(event);
    if (regionsOf(event.account) === undefined) return dropForeign(event);
    const kind = eventKindOf(event);
    if (!kind) {
      meter.count('unknownEvent');
      log.warn('dropped an event of a kind that is not handled', {
        source: event.source,
        detailType: event['detail-type'],
      });
      return [];
    }
    try {
      const resourceMessages = kind.toMessages(event, { provider, tagKeys }).map((resourceMessage) => ({
        ...resourceMessage,
        at: clamped(resourceMessage.at, now()),
        eventId: event.id,
      }));
      const reported = event.source === ownSource ? resourceMessages : resourceMessages.filter(isReported);
      for (const resourceMessage of reported) warnOfUnknownState(resourceMessage);
      return reported;
    } catch (cause) {
      throw new UnreadableError(`event ${event.id} is no "${kind.detailType}": ${reasonOf(cause)}`, {
        cause,
      });
    }

    /** Undefined for an account that is not configured. */
    function regionsOf(of: string): readonly string[] | undefined {
      if (account === undefined || of === account) return regions;
      return Object.values(accounts).find(({ id }) => id === of)?.regions;
    }

    function dropForeign({
      source,
      'detail-type': detailType,
      account: foreign,
    }: EventBridgeEvent): ResourceMessage[] {
      meter.count('foreignAccount');
      log.warn('dropped an event of another AWS account', { source, detailType, account: foreign });
      return [];
    }

    function isReported({ region, account: of, resourceId }: ResourceMessage): boolean {
      if (account !== undefined && of !== event.account) {
        dropForeign({ ...event, account: of });
        return false;
      }
      if (regionsOf(of)?.includes(region)) return true;
      meter.count('unreportedRegion');
      const target = loggedTarget(accounts, targetOf({ region, account: of }, account));
      log.info('dropped an event about a region that is not reported', { region: target, resourceId });
      return false;
    }

    function warnOfUnknownState(resourceMessage: ResourceMessage) {
      if (resourceMessage.kind !== 'observation' || resourceMessage.unrecognised === undefined) return;
      meter.count('unknownState');
      const { resourceId } = resourceMessage;
      log.warn('an unknown state was reported; it is mapped to the nearest active one', {
        kind: kindOf(kinds, resourceId).noun,
        resourceId,
        state: resourceMessage.unrecognised,
        takenAs: resourceMessage.state,
      });
    }
  };

const envelope = (body: string): EventBridgeEvent => {
  try {
    return EventBridgeEvent.parse(JSON.parse(body));
  } catch (cause) {
    throw new UnreadableError(`the message is no EventBridge event: ${reasonOf(cause)}`, { cause });
  }
};

/** A parsed message of the observations queue. */
export type Message = {
  readonly messageId: string;
  /** SQS delivered it before, and it may be partly processed. */
  readonly isRetry: boolean;
  readonly resourceMessages: readonly ResourceMessage[];
};

/** All messages of one batch about one resource, oldest first. */
export type MessageGroup = {
  readonly kind: Kind;
  readonly resourceId: string;
  readonly region: string;
  readonly account: string;
  readonly resourceMessages: readonly ResourceMessage[];
  readonly messages: readonly Message[];
};

/** Groups a batch by resource and account: the messages of one resource are handled in order, resources do not wait for each other. */
export const groupsOf = (messages: readonly Message[]): MessageGroup[] => {
  const groups = new Map<string, { resourceMessages: ResourceMessage[]; messages: Set<Message> }>();
  for (const message of messages) {
    for (const resourceMessage of message.resourceMessages) {
      const key = `${resourceMessage.account} ${resourceMessage.resourceId}`;
      const group = groups.get(key) ?? { resourceMessages: [], messages: new Set() };
      groups.set(key, group);
      group.resourceMessages.push(resourceMessage);
      group.messages.add(message);
    }
  }
  return [...groups.values()].map((group) => {
    const resourceId = group.resourceMessages[0]?.resourceId ?? '';
    const kind = kindOf(kinds, resourceId);
    return {
      kind,
      resourceId,
      region: group.resourceMessages[0]?.region ?? '',
      account: group.resourceMessages[0]?.account ?? '',
      resourceMessages: group.resourceMessages.sort(oldestFirst(kind)),
      messages: [...group.messages],
    };
  });
};

/** The newest tag change in the batch. */
export const newestTagChange = ({ resourceMessages }: MessageGroup): TagChange | undefined =>
  resourceMessages.findLast((resourceMessage) => resourceMessage.kind === 'tag-change');

/** Leaves out states that a later state of the same second supersedes, where the kind coalesces them. */
export const withoutSuperseded = (
  kind: Kind,
  resourceMessages: readonly ResourceMessage[],
): ResourceMessage[] =>
  resourceMessages.filter(
    (resourceMessage) =>
      resourceMessage.kind !== 'observation' ||
      !resourceMessages.some((other) => supersedes(kind, other, resourceMessage)),
  );

const supersedes = (kind: Kind, other: ResourceMessage, one: Observation): boolean =>
  kind.coalescesWithinSecond &&
  other.kind === 'observation' &&
  other.at === one.at &&
  rankOf(kind, other.state) > rankOf(kind, one.state);

/** Notices come after the state of the same second. */
export const oldestFirst =
  (kind: Kind) =>
  (a: ResourceMessage, b: ResourceMessage): number =>
    order(kind, a) - order(kind, b);

const order = (kind: Kind, resourceMessage: ResourceMessage): number =>
  resourceMessage.kind === 'observation'
    ? sequenceOf(kind, resourceMessage)
    : sequenceOf(kind, { at: resourceMessage.at, state: finalState(kind) });

export const hasObservation = ({ resourceMessages }: MessageGroup): boolean =>
  resourceMessages.some(({ kind }) => kind === 'observation');

export const hasClaimCheck = ({ resourceMessages }: MessageGroup): boolean =>
  resourceMessages.some(({ kind }) => kind === 'claim-check');

/** Whether the resource was observed in its last state. */
export const hasFinalState = ({ kind, resourceMessages }: MessageGroup): boolean =>
  resourceMessages.some(
    (resourceMessage) => resourceMessage.kind === 'observation' && resourceMessage.state === finalState(kind),
  );

/** At least one of the group's SQS messages was delivered before. */
export const isRedelivered = ({ messages }: MessageGroup): boolean => messages.some(({ isRetry }) => isRetry);

/** The key up to which statuses that the debounce held back may be published. */
export const settledKey = ({ resourceMessages }: MessageGroup): string | undefined =>
  resourceMessages
    .flatMap((resourceMessage) => (resourceMessage.kind === 'status-settled' ? [resourceMessage.key] : []))
    .sort()
    .at(-1);

/** The group's check request for the current state of the resource. */
export const checkIn = ({ resourceMessages }: MessageGroup, vm: Resource): CheckRequest | undefined => {
  const key = checkedState(vm);
  return resourceMessages.find(
    (resourceMessage): resourceMessage is CheckRequest =>
      resourceMessage.kind === 'check-wanted' && resourceMessage.key === key,
  );
};

/**
 * Whether a start fell back to the stopped state and no message has a reason: an instance is `stopping` in between only after a stop request.
 */
export const hasUnexplainedFallback = (
  { kind, resourceMessages }: MessageGroup,
  vm: Resource | undefined,
): boolean => {
  let before = vm?.state;
  for (const resourceMessage of resourceMessages) {
    if (resourceMessage.kind !== 'observation') continue;
    const { state, reason } = resourceMessage;
    if (before === kind.startingState && isStopped(kind, state) && !reason) return true;
    before = state;
  }
  return false;
};
