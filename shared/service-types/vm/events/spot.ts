import * as z from 'zod/mini';
import { eventKind } from '../../event-kind.ts';
import { InstanceId, type NoticeKind } from '../kind.ts';

/**
 * aws.ec2 "EC2 Spot Instance Interruption Warning", about two minutes before EC2 terminates, stops or hibernates the instance.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const spotInterruption = eventKind({
  source: 'aws.ec2',
  detailType: 'EC2 Spot Instance Interruption Warning',
  schema: z.object({ 'instance-id': InstanceId, 'instance-action': z.string() }),
  toMessages: ({ 'instance-id': resourceId, 'instance-action': action }, from) => [
    {
      kind: 'notice',
      ...from,
      resourceId: resourceId,
      notice: noticeOf.get(action) ?? 'spot-stop',
      text: `spot interruption: EC2 will ${action} it`,
    },
  ],
});

const noticeOf: ReadonlyMap<string, NoticeKind> = new Map([
  ['terminate', 'spot-interruption'],
  ['hibernate', 'spot-hibernate'],
]);

/**
 * aws.ec2 "EC2 Instance Rebalance Recommendation": the risk of a spot interruption has risen.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
 */
export const rebalanceRecommendation = eventKind({
  source: 'aws.ec2',
  detailType: 'EC2 Instance Rebalance Recommendation',
  schema: z.object({ 'instance-id': InstanceId }),
  toMessages: ({ 'instance-id': resourceId }, from) => [
    {
      kind: 'notice',
      ...from,
      resourceId: resourceId,
      notice: 'rebalance-recommendation',
      text: 'EC2 recommends to rebalance: a spot interruption is more likely',
    },
  ],
});
