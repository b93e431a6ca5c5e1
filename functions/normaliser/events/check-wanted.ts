import { CheckWantedDetail, checkWanted } from '../../../shared/wire/check-wanted.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "EC2 Instance Check Wanted": EC2 is to be asked whether a state is over that should be. */
export const wantedCheck = eventKind({
  ...checkWanted,
  schema: CheckWantedDetail,
  toSignals: ({ 'instance-id': instanceId, key, turn }, from) => [
    { kind: 'check-wanted', ...from, instanceId, key, turn },
  ],
});
