import * as z from 'zod/mini';
import { InstanceId } from '../domain/instance.ts';
import { NoticeKind } from '../domain/signal.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event: something that EC2 shows of an instance, has no event for, and is no state. */
export const instanceNoticed = {
  source: ownSource,
  detailType: 'EC2 Instance Noticed',
  word: 'noticed',
} as const;

export const InstanceNoticedDetail = z.object({
  'instance-id': InstanceId,
  notice: NoticeKind,
  text: z.string(),
});

export const instanceNoticedEvent = (
  noticed: z.infer<typeof InstanceNoticedDetail> & About,
): EventBridgeEvent => ownEvent(instanceNoticed, noticed);
