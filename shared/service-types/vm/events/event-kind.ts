import type * as z from 'zod/mini';
import type { ResourceMessage } from '../../../core/message.ts';
import { type EventBridgeEvent, type EventPattern, secondOf } from '../../../wire/eventbridge.ts';

/** One kind of EventBridge event: its pattern, the schema of its detail, and the messages about instances that it is turned into. */
export type EventKind = {
  readonly source: string;
  readonly detailType: string;
  /** Narrows the rule where the source has many events that are not about instances. */
  readonly detail?: EventPattern['detail'];
  /** @throws ZodError where the event is not as AWS documents it. */
  readonly toMessages: (event: EventBridgeEvent) => ResourceMessage[];
};

type Definition<Detail extends z.ZodMiniType> = Omit<EventKind, 'toMessages'> & {
  readonly schema: Detail;
  readonly toMessages: (detail: z.infer<Detail>, from: Origin, event: EventBridgeEvent) => ResourceMessage[];
};

/** The region, account and time of an event, which every message about a resource has. */
type Origin = Pick<ResourceMessage, 'region' | 'account' | 'at'>;

export const eventKind = <Detail extends z.ZodMiniType>({
  schema,
  toMessages,
  ...kind
}: Definition<Detail>): EventKind => ({
  ...kind,
  toMessages: (event) =>
    toMessages(
      schema.parse(event.detail),
      { region: event.region, account: event.account, at: secondOf(event) },
      event,
    ),
});
