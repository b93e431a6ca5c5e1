import { v5 } from 'uuid';
import type { VmRecord } from '../../../shared/domain/vm-record.ts';

/** Ours alone, so that nobody else makes the same tokens. */
const namespace = v5('dcm-ec2-service-provider/vms', v5.URL);

/**
 * Whoever asks EC2 for the same attempt at the same VM asks with the same token, and so gets the same instance.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export const clientToken = (
  provider: string,
  { vmId, generation, attempt }: Pick<VmRecord, 'vmId' | 'generation' | 'attempt'>,
): string => v5(JSON.stringify([provider, vmId, generation, attempt]), namespace);
