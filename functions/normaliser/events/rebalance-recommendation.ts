import * as z from 'zod/mini';
import { InstanceId } from '../../../shared/domain/instance.ts';
import { eventKind } from './kind.ts';

/**
 * aws.ec2 "EC2 Instance Rebalance Recommendation": the risk of a spot interruption has risen.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/rebalance-recommendations.html
 */
export const rebalanceRecommendation = eventKind({
  source: 'aws.ec2',
  detailType: 'EC2 Instance Rebalance Recommendation',
  schema: z.object({ 'instance-id': InstanceId }),
  toSignals: ({ 'instance-id': instanceId }, from) => [
    {
      kind: 'notice',
      ...from,
      instanceId,
      notice: 'rebalance-recommendation',
      text: 'EC2 recommends to rebalance: a spot interruption is more likely',
    },
  ],
});
