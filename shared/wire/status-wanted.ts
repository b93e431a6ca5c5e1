import * as z from 'zod/mini';
import { InstanceId } from '../domain/instance.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event: somebody wants a VM's current status to be told once more. Its time is that of the request. */
export const statusWanted = { source: ownSource, detailType: 'VM Status Wanted', word: 'wanted' } as const;

export const StatusWantedDetail = z.object({ 'instance-id': InstanceId });

export const statusWantedEvent = (wanted: Omit<About, 'request-id'>): EventBridgeEvent =>
  ownEvent(statusWanted, wanted);
