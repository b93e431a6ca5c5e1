import * as z from 'zod/mini';
import { InstanceId } from '../../../shared/domain/instance.ts';
import type { NoticeKind } from '../../../shared/domain/signal.ts';
import { eventKind } from './kind.ts';

/**
 * aws.ec2 "EC2 Spot Instance Interruption Warning", about two minutes before EC2 terminates, stops or hibernates the instance.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html
 */
export const spotInterruption = eventKind({
  source: 'aws.ec2',
  detailType: 'EC2 Spot Instance Interruption Warning',
  schema: z.object({ 'instance-id': InstanceId, 'instance-action': z.string() }),
  toSignals: ({ 'instance-id': instanceId, 'instance-action': action }, from) => [
    {
      kind: 'notice',
      ...from,
      instanceId,
      notice: noticeOf.get(action) ?? 'spot-stop',
      text: `spot interruption: EC2 will ${action} it`,
    },
  ],
});

const noticeOf: ReadonlyMap<string, NoticeKind> = new Map([
  ['terminate', 'spot-interruption'],
  ['hibernate', 'spot-hibernate'],
]);
