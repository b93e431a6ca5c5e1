import * as z from 'zod/mini';
import { InstanceId } from '../domain/instance.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event, from the normaliser to itself: a VM whose changes were held back has had the time to settle. */
export const statusSettled = { source: ownSource, detailType: 'VM Status Settled', word: 'settled' } as const;

export const StatusSettledDetail = z.object({
  'instance-id': InstanceId,
  /** Of the first status that was held back. */
  key: z.string(),
});

/** `at` is that status's. */
export const statusSettledEvent = (settled: z.infer<typeof StatusSettledDetail> & About): EventBridgeEvent =>
  ownEvent(statusSettled, settled);
