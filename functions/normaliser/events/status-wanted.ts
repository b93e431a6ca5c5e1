import { StatusWantedDetail, statusWanted } from '../../../shared/wire/status-wanted.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "VM Status Wanted": the VM's current status is to be told again, as of the second of the request. */
export const wantedStatus = eventKind({
  ...statusWanted,
  schema: StatusWantedDetail,
  toSignals: ({ 'instance-id': instanceId }, from) => [{ kind: 'status-wanted', ...from, instanceId }],
});
