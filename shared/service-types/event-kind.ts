import type * as z from 'zod/mini';
import type { ResourceMessage } from '../core/message.ts';
import type { TagKeys } from '../core/ownership.ts';
import { type EventBridgeEvent, type EventPattern, secondOf } from '../wire/eventbridge.ts';

/** Who this provider is: where an event has no tags, its other marks of ownership become those tags. */
export type EventIdentity = { readonly provider: string; readonly tagKeys: TagKeys };

/** Which ECS tasks are ours. */
export type TaskScope = {
  readonly provider: string;
  /** The ARNs of the ECS clusters that they run in: one in each region. Undefined where another rule has compared them before. */
  readonly clusterArns?: readonly string[];
};

/** One kind of EventBridge event: its pattern, the schema of its detail, and the messages about resources that it is turned into. */
export type EventKind = {
  readonly source: string;
  readonly detailType: string;
  /** Narrows the rule where the source has many events that are not about our resources. */
  readonly detail?: EventPattern['detail'];
  /** The same for events about ECS tasks. */
  readonly taskDetail?: (tasks: TaskScope) => EventPattern['detail'];
  /** @throws ZodError where the event is not as AWS documents it. */
  readonly toMessages: (event: EventBridgeEvent, identity: EventIdentity) => ResourceMessage[];
};

type Definition<Detail extends z.ZodMiniType> = Omit<EventKind, 'toMessages'> & {
  readonly schema: Detail;
  readonly toMessages: (
    detail: z.infer<Detail>,
    from: Origin,
    event: EventBridgeEvent,
    identity: EventIdentity,
  ) => ResourceMessage[];
};

/** The region, account and time of an event, which every message about a resource has. */
type Origin = Pick<ResourceMessage, 'region' | 'account' | 'at'>;

export const eventKind = <Detail extends z.ZodMiniType>({
  schema,
  toMessages,
  ...kind
}: Definition<Detail>): EventKind => ({
  ...kind,
  toMessages: (event, identity) =>
    toMessages(
      schema.parse(event.detail),
      { region: event.region, account: event.account, at: secondOf(event) },
      event,
      identity,
    ),
});
