import * as z from 'zod/mini';
import { InstanceId } from '../domain/instance.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event, from the normaliser to itself: a state that should end by itself may have, without an event. */
export const checkWanted = {
  source: ownSource,
  detailType: 'EC2 Instance Check Wanted',
  word: 'check',
} as const;

export const CheckWantedDetail = z.object({
  'instance-id': InstanceId,
  /** Of the state. */
  key: z.string(),
  /** 1 for the first check of that state. */
  turn: z.int(),
});

/** `at` is since when the state holds. */
export const checkWantedEvent = (wanted: z.infer<typeof CheckWantedDetail> & About): EventBridgeEvent =>
  ownEvent(checkWanted, wanted);
