import * as z from 'zod/mini';

/**
 * The envelope of every EventBridge event. `version` is optional because EC2's own documentation leaves it out.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-events-structure.html
 */
export const EventBridgeEvent = z.object({
  version: z.optional(z.string()),
  id: z.string(),
  'detail-type': z.string(),
  source: z.string(),
  account: z.string(),
  /** When it happened, by the originating service, to the second. */
  time: z.iso.datetime({ offset: true }),
  region: z.string(),
  resources: z._default(z.array(z.string()), []),
  detail: z.record(z.string(), z.unknown()),
});
export type EventBridgeEvent = z.infer<typeof EventBridgeEvent>;

/**
 * The part of EventBridge's pattern language that we use: each field equals one of the listed values, or begins with a listed prefix.
 * @see https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
 */
export type EventPattern = {
  readonly source: readonly string[];
  readonly 'detail-type': readonly string[];
  readonly account?: readonly string[];
  readonly detail?: Readonly<Record<string, readonly (string | { readonly prefix: string })[]>>;
};

/** The second of an event's `time`, since 1970. */
export const secondOf = (event: Pick<EventBridgeEvent, 'time'>): number =>
  Math.floor(Date.parse(event.time) / 1000);
