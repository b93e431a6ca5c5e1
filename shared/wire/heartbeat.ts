import * as z from 'zod/mini';
import type { EventBridgeEvent } from './eventbridge.ts';
import { ownSource } from './own-messages.ts';

const detailType = 'Queue Heartbeat';

/** Our own kind of event, about no instance: it measures how long a message takes through the observations queue. */
const Heartbeat = z.object({
  source: z.literal(ownSource),
  'detail-type': z.literal(detailType),
  detail: z.object({ 'sent-at': z.int() }),
});

/** `sentAt` in seconds since 1970. */
export const heartbeatEvent = (
  sentAt: number,
  { region, account }: Pick<EventBridgeEvent, 'region' | 'account'>,
): EventBridgeEvent => ({
  version: '0',
  id: `heartbeat:${sentAt}`,
  'detail-type': detailType,
  source: ownSource,
  account,
  time: new Date(sentAt * 1000).toISOString(),
  region,
  resources: [],
  detail: { 'sent-at': sentAt },
});

/** When a message that is a heartbeat was sent, in seconds since 1970; undefined for every other message. */
export const heartbeatIn = (body: string): number | undefined => read(Heartbeat, body)?.detail['sent-at'];

const canaryDetailType = 'Canary Probe';

/**
 * Our own kind of event, about no instance: the normaliser answers it by asking JetStream whether it takes statuses. Versions that do not
 * know it drop it with a line in their log.
 */
const CanaryProbe = z.object({
  source: z.literal(ownSource),
  'detail-type': z.literal(canaryDetailType),
  detail: z.object({ 'sent-at-ms': z.int() }),
});

/** `sentAtMs` in milliseconds since 1970. */
export const canaryEvent = (
  sentAtMs: number,
  { region, account }: Pick<EventBridgeEvent, 'region' | 'account'>,
): EventBridgeEvent => ({
  version: '0',
  id: `canary:${sentAtMs}`,
  'detail-type': canaryDetailType,
  source: ownSource,
  account,
  time: new Date(sentAtMs).toISOString(),
  region,
  resources: [],
  detail: { 'sent-at-ms': sentAtMs },
});

/** When a message of the canary was sent, in milliseconds since 1970; undefined for every other message. */
export const canaryIn = (body: string): number | undefined => read(CanaryProbe, body)?.detail['sent-at-ms'];

const read = <Schema extends z.ZodMiniType>(schema: Schema, body: string): z.infer<Schema> | undefined => {
  try {
    return schema.parse(JSON.parse(body));
  } catch {
    return undefined;
  }
};
