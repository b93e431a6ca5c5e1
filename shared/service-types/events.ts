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

/**
 * The patterns of the EventBridge rules on one bus, one for each kind of event, for infra and the local event bus. They match the account,
 * because other accounts may be allowed to put events on the same bus. `tasks`: undefined where no events about tasks arrive.
 */
export const eventPatternsOf = (account: string, tasks?: TaskScope): readonly EventPattern[] => [
  ...eventKinds.vm.map((kind) => patternOf(account, kind, kind.detail)),
  ...(tasks ? eventKinds.container.map((kind) => patternOf(account, kind, kind.taskDetail?.(tasks))) : []),
];

const patternOf = (
  account: string,
  { source, detailType }: EventKind,
  detail: EventPattern['detail'],
): EventPattern => ({
  source: [source],
  'detail-type': [detailType],
  account: [account],
  ...(detail && { detail }),
});
