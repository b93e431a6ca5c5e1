import { ClaimCheckDetail, claimCheck } from '../../../shared/wire/claim-check.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "EC2 Instance Claim Check": EC2 is to be asked for the state of an instance that was claimed a while ago. */
export const claimedInstance = eventKind({
  ...claimCheck,
  schema: ClaimCheckDetail,
  toSignals: ({ 'instance-id': instanceId }, from) => [{ kind: 'claim-check', ...from, instanceId }],
});
