import type * as z from 'zod/mini';
import type { ResourceMessage } from '../../../core/message.ts';
import { type EventBridgeEvent, type EventPattern, secondOf } from '../../../wire/eventbridge.ts';

/** One kind of EventBridge event: what it matches, what its detail looks like, what it says about which instances. */
export type EventKind = {
  readonly source: string;
  readonly detailType: string;
  /** Narrows the rule where the source sends much that is not about instances. */
  readonly detail?: EventPattern['detail'];
  /** @throws ZodError where the event is not what AWS documents. */
  readonly toMessages: (event: EventBridgeEvent) => ResourceMessage[];
};

type Definition<Detail extends z.ZodMiniType> = Omit<EventKind, 'toMessages'> & {
  readonly schema: Detail;
  readonly toMessages: (detail: z.infer<Detail>, from: Origin, event: EventBridgeEvent) => ResourceMessage[];
};

/** Where and when an event came from, as every signal carries it. */
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
