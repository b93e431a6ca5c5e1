import * as z from 'zod/mini';
import { type Place, placeKey, placeOfKey } from '../core/inventory/entry.ts';

/** A message of the queue `inventory` that is no event: the next base of a collection is to be written. */
const CompactionRequest = z.object({ compact: z.string() });

export const compactionRequest = (place: Place): string => JSON.stringify({ compact: placeKey(place) });

/** The collection whose next base is to be written; undefined: the message is something else. @throws ZodError for no collection. */
export const compactionRequestedIn = (message: unknown): Place | undefined => {
  const parsed = CompactionRequest.safeParse(message);
  return parsed.success ? placeOfKey(parsed.data.compact) : undefined;
};
