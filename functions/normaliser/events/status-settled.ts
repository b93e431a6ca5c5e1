import { StatusSettledDetail, statusSettled } from '../../../shared/wire/status-settled.ts';
import { eventKind } from './kind.ts';

/** dcm.ec2-sp "VM Status Settled": what was held back of a VM that changes too often may be told. */
export const settledStatus = eventKind({
  ...statusSettled,
  schema: StatusSettledDetail,
  toSignals: ({ 'instance-id': instanceId, key }, from) => [
    { kind: 'status-settled', ...from, instanceId, key },
  ],
});
