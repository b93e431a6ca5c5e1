import type { PublicationAnswer } from '../wire/bridge.ts';
import type { CloudEventJson } from '../wire/cloudevents.ts';

/**
 * Hands CloudEvents to whoever listens for them, and tells of each whether the stream acknowledged it. Events with the same
 * `partitionkey` are published in the order given, each after the one before it was acknowledged; after a failure the rest of
 * that key are not tried. Events without a key have no order. Repeating an id is
 * harmless. Any number of events, but at most 500 with one key.
 * @throws UnavailableError where it cannot be known what was published.
 */
export type StatusPublisher = {
  publish(events: readonly CloudEventJson[]): Promise<PublicationAnswer>;
};
