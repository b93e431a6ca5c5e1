import { v5 } from 'uuid';
import type { VmRecord } from '../../domain/vm-record.ts';

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

/** Tried where no record tells the generation: the table was lost, or another VM has had the id since. */
const generationsTried = 100;
/** A launch plan has at most three placements, an attempt each. */
const attemptsPerGeneration = 3;

/**
 * Whether this provider launched an instance as the VM with this DCM id. EC2 keeps the client token of a launch with the instance, and
 * nothing changes it afterwards, so tags that were written by hand make no instance one that we launched.
 *
 * Compares the token with those of the generations 0 to 99, or up to the one given where that is higher, with three attempts each: at
 * most some hundred hashes. An instance of a later generation whose record is lost counts as not launched by us.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
 */
export const isLaunchedByUs = (
  provider: string,
  { vmId, generation = 0 }: { readonly vmId: string; readonly generation?: number },
  token: string | undefined,
): boolean => {
  if (!token) return false;
  const newest = Math.max(generation, generationsTried - 1);
  for (let tried = newest; tried >= 0; tried--)
    for (let attempt = 0; attempt < attemptsPerGeneration; attempt++)
      if (clientToken(provider, { vmId, generation: tried, attempt }) === token) return true;
  return false;
};
