import type { CloudEventJson } from '../wire/cloudevents.ts';

export type Appended = { readonly stream: string; readonly seq: number; readonly duplicate: boolean };

/**
 * A persistent stream that recognises the id of a stored event for at least two minutes.
 * A failed call rejects with UnavailableError: the event may or may not be stored, and a retry is safe. An event that the stream can never
 * store, such as one that is too large, rejects with UnreadableError.
 */
export type EventStream = {
  /** Resolves once there is a working connection: an idle one is probed first, and replaced if the probe gets no answer. */
  ready(): Promise<void>;
  /** Resolves once the stream has stored the event, or recognised its id. Many calls may run at once. */
  append(event: CloudEventJson): Promise<Appended>;
  /** Closes the connection; the next `ready` opens another. */
  abandon(): void;
};
