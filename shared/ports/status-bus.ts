import type { Target } from '../core/target.ts';
import type { CloudEventJson } from '../wire/cloudevents.ts';

/** A status that DCM has, and where its resource is. */
export type StatusOnBus = { readonly event: CloudEventJson; readonly target: Target };

/** The event bus with every published status, for other programs. */
export type StatusBus = {
  /**
   * Puts statuses on the bus. Those with the same `partitionkey` in the order given, each after the one before it was taken. It is safe to
   * put a status again; readers know it by its id. Never rejects, and takes a few seconds at most where the bus does not answer.
   * @returns the ids of the statuses that the bus has taken.
   */
  put(statuses: readonly StatusOnBus[]): Promise<ReadonlySet<string>>;
};
