import type { ServiceType } from '../core/kind.ts';
import type { EventBridgeEvent, EventPattern } from '../wire/eventbridge.ts';
import { taskStateChange } from './container/events/task-state-change.ts';
import type { EventKind, TaskScope } from './event-kind.ts';
import { ownKinds } from './own-messages.ts';
import { vmEvents } from './vm/events/registry.ts';

/** The kinds of EventBridge event about each service type. EKS has no events about the states of clusters. */
const eventKinds: Readonly<Record<ServiceType, readonly EventKind[]>> = {
  vm: vmEvents,
  container: [taskStateChange],
  cluster: [],
};

const key = (source: string, detailType: string) => `${source}/${detailType}`;
const kinds = new Map(
  [...Object.values(eventKinds).flat(), ...ownKinds].map((kind) => [key(kind.source, kind.detailType), kind]),
);

export const eventKindOf = (event: EventBridgeEvent): EventKind | undefined =>
  kinds.get(key(event.source, event['detail-type']));

/** The same for events of several accounts, which their own rules have forwarded. */
export const forwardedPatternsOf = (
  accounts: readonly string[],
  tasks?: TaskScope,
): readonly EventPattern[] => [
  ...eventKinds.vm.map((kind) => patternOf(accounts, kind, kind.detail)),
  ...(tasks ? eventKinds.container.map((kind) => patternOf(accounts, kind, kind.taskDetail?.(tasks))) : []),
];

/**
 * The patterns of the EventBridge rules about one account's resources, one for each kind of event, for infra and the local event bus. They
 * match the account, because other accounts may be allowed to put events on the same bus. `tasks`: undefined where no events about tasks arrive.
 */
export const eventPatternsOf = (account: string, tasks?: TaskScope): readonly EventPattern[] =>
  forwardedPatternsOf([account], tasks);

const patternOf = (
  account: readonly string[],
  { source, detailType }: EventKind,
  detail: EventPattern['detail'],
): EventPattern => ({
  source: [source],
  'detail-type': [detailType],
  account,
  ...(detail && { detail }),
});

/** The sources of all events that are understood. */
export const eventSources: readonly string[] = [
  ...new Set(
    Object.values(eventKinds)
      .flat()
      .map(({ source }) => source),
  ),
];
