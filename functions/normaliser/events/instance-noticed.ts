import { InstanceNoticedDetail, instanceNoticed } from '../../../shared/wire/instance-noticed.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "EC2 Instance Noticed": what the poller noticed of an instance beside its state. */
export const noticedInListing = eventKind({
  ...instanceNoticed,
  schema: InstanceNoticedDetail,
  toSignals: ({ 'instance-id': instanceId, notice, text }, from) => [
    { kind: 'notice', ...from, instanceId, notice, text },
  ],
});
