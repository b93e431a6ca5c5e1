import * as z from 'zod/mini';
import { InstanceId } from '../domain/instance.ts';
import type { EventBridgeEvent } from './eventbridge.ts';
import { type About, ownEvent, ownSource } from './own-event.ts';

/** Our own kind of event, from the normaliser to itself: an instance was claimed, and its state is to be compared with EC2's once more. */
export const claimCheck = {
  source: ownSource,
  detailType: 'EC2 Instance Claim Check',
  word: 'claim-check',
} as const;

export const ClaimCheckDetail = z.object({ 'instance-id': InstanceId });

/** `at` is when it was claimed. */
export const claimCheckEvent = (claimed: About): EventBridgeEvent => ownEvent(claimCheck, claimed);
