import * as z from 'zod/mini';
import { UnreadableError } from '../core/errors.ts';
import type { ClusterStepRequest } from '../ports/cluster-steps.ts';

/** A message of the queue of cluster steps. */
const ClusterStepMessage = z.object({
  dcmId: z.string().check(z.minLength(1)),
  continues: z._default(z.boolean(), false),
  resourceId: z.optional(z.string()),
  wasSeen: z.optional(z.boolean()),
  unseenSinceMs: z.optional(z.int()),
});

export const clusterStepMessage = (request: ClusterStepRequest): string => {
  const { dcmId, continues, resourceId, wasSeen, unseenSinceMs } = request;
  return JSON.stringify({ dcmId, continues, resourceId, wasSeen, unseenSinceMs });
};

/** @throws UnreadableError for any other text. */
export const clusterStepIn = (body: string): ClusterStepRequest => {
  try {
    return ClusterStepMessage.parse(JSON.parse(body));
  } catch (cause) {
    throw new UnreadableError('the message is no request for a step of a cluster', { cause });
  }
};
