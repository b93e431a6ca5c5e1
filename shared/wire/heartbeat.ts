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
export const heartbeatIn = (body: string): number | undefined => {
  try {
    return Heartbeat.parse(JSON.parse(body)).detail['sent-at'];
  } catch {
    return undefined;
  }
};
