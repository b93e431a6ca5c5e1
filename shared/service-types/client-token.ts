import { v5 } from 'uuid';
import type { ResourceRecord } from '../core/record.ts';

/** Of this program, so that other programs generate other tokens. Every service type has the same one: its calls are of another service. */
const namespace = v5('dcm-ec2-service-provider/vms', v5.URL);

/**
 * The client token of one attempt to launch a resource: calls with the same token get the same resource.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
export const clientToken = (
  provider: string,
  { dcmId, generation, attempt }: Pick<ResourceRecord, 'dcmId' | 'generation' | 'attempt'>,
): string => v5(JSON.stringify([provider, dcmId, generation, attempt]), namespace);

/** How many are tried where no record has the generation: the table was lost, or another resource has the id. */
const generationsTried = 100;
/** A launch plan has at most so many placements, an attempt each. */
export const attemptsPerGeneration = 3;

/**
 * Which generation of a DCM id this provider launched a resource as; undefined where it did not launch it as the one with this id. AWS shows
 * the client token of a launch with the resource, and it cannot be changed afterwards, unlike tags.
 *
 * Compares the token with those of the generations 0 to 99, or up to the given one where that is higher, with three attempts each: at most
 * some hundred hashes. A resource of a later generation whose record is lost counts as not launched by us.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html
 */
export const launchedGeneration = (
  provider: string,
  { dcmId, generation = 0 }: { readonly dcmId: string; readonly generation?: number },
  token: string | undefined,
): number | undefined => {
  if (!token) return undefined;
  const newest = Math.max(generation, generationsTried - 1);
  for (let tried = newest; tried >= 0; tried--)
    for (let attempt = 0; attempt < attemptsPerGeneration; attempt++)
      if (clientToken(provider, { dcmId, generation: tried, attempt }) === token) return tried;
  return undefined;
};

/** Whether this provider launched a resource as the one with this DCM id: `launchedGeneration` knows it. */
export const isLaunchedByUs = (...about: Parameters<typeof launchedGeneration>): boolean =>
  launchedGeneration(...about) !== undefined;
