import * as z from 'zod/mini';
import { eventKind } from '../../event-kind.ts';
import { InstanceId, instanceStateOf } from '../kind.ts';

/**
 * aws.ec2 "EC2 Instance State-change Notification". It has no tags, no previous state and no reason.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitoring-instance-state-changes.html
 */
export const stateChange = eventKind({
  source: 'aws.ec2',
  detailType: 'EC2 Instance State-change Notification',
  schema: z.object({ 'instance-id': InstanceId, state: z.string() }),
  toMessages: ({ 'instance-id': resourceId, state }, from) => [
    { kind: 'observation', ...from, resourceId: resourceId, ...instanceStateOf(state), seenBy: 'event' },
  ],
});
