import type { PublicationAnswer } from '../wire/bridge.ts';
import type { CloudEventJson } from '../wire/cloudevents.ts';

/**
 * Publishes CloudEvents, and answers for each whether the stream acknowledged it. Events with the same `partitionkey` are published in the
 * order given, each after the one before it was acknowledged; after a failure the rest of that key are not tried. Events without a key have
 * no order. It is safe to publish an id again. Any number of events, but at most 500 with one key.
 * @throws UnavailableError where it is not known which events were published.
 */
export type StatusPublisher = {
  publish(events: readonly CloudEventJson[]): Promise<PublicationAnswer>;
};
