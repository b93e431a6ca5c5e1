import { checkedState } from '../../shared/core/follow-up.ts';
import { sequenceOf } from '../../shared/core/gate.ts';
import { finalState, type Kind, kindOf, rankOf } from '../../shared/core/kind.ts';
import type { CheckRequest, Observation, ResourceMessage, TagChange } from '../../shared/core/message.ts';
import type { Resource } from '../../shared/core/resource.ts';
import { kinds } from '../../shared/service-types/kinds.ts';

/** A message of the observations queue, read. */
export type Message = {
  readonly messageId: string;
  /** It was handled before, and what it began may not have been finished. */
  readonly isRetry: boolean;
  readonly resourceMessages: readonly ResourceMessage[];
};

/** Everything that one batch tells about one instance, oldest first. */
export type MessageGroup = {
  readonly kind: Kind;
  readonly resourceId: string;
  readonly region: string;
  readonly account: string;
  readonly resourceMessages: readonly ResourceMessage[];
  readonly messages: readonly Message[];
};

/** Sorts a batch by instance: what is about one instance must be told in order, instances do not wait for each other. */
export const groupsOf = (messages: readonly Message[]): MessageGroup[] => {
  const groups = new Map<string, { resourceMessages: ResourceMessage[]; messages: Set<Message> }>();
  for (const message of messages) {
    for (const resourceMessage of message.resourceMessages) {
      const group = groups.get(resourceMessage.resourceId) ?? { resourceMessages: [], messages: new Set() };
      groups.set(resourceMessage.resourceId, group);
      group.resourceMessages.push(resourceMessage);
      group.messages.add(message);
    }
  }
  return [...groups].map(([resourceId, group]) => {
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

/** Without the states that another one of the same second supersedes: nobody could have acted on them. */
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

/** Notices of the same second go after the state they are about. */
const oldestFirst =
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

export const isTerminated = ({ resourceMessages }: MessageGroup): boolean =>
  resourceMessages.some(
    (resourceMessage) => resourceMessage.kind === 'observation' && resourceMessage.state === 'terminated',
  );

/** Part of it is here again. */
export const isRetried = ({ messages }: MessageGroup): boolean => messages.some(({ isRetry }) => isRetry);

/** Up to which key what was held back has had the time to settle. */
export const settledKey = ({ resourceMessages }: MessageGroup): string | undefined =>
  resourceMessages
    .flatMap((resourceMessage) => (resourceMessage.kind === 'status-settled' ? [resourceMessage.key] : []))
    .sort()
    .at(-1);

/** The check of the state that the VM is in. */
export const checkIn = ({ resourceMessages }: MessageGroup, vm: Resource): CheckRequest | undefined => {
  const key = checkedState(vm);
  return resourceMessages.find(
    (resourceMessage): resourceMessage is CheckRequest =>
      resourceMessage.kind === 'check-wanted' && resourceMessage.key === key,
  );
};

/** A start that fell back to `stopped`, of which no signal says why: EC2 goes through `stopping` only where somebody stops the instance. */
export const hasUnexplainedFallback = (
  { resourceMessages }: MessageGroup,
  vm: Resource | undefined,
): boolean => {
  let before = vm?.state;
  for (const resourceMessage of resourceMessages) {
    if (resourceMessage.kind !== 'observation') continue;
    if (before === 'pending' && resourceMessage.state === 'stopped' && !resourceMessage.reason) return true;
    before = resourceMessage.state;
  }
  return false;
};
