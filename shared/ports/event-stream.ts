import type { CloudEventJson } from '../wire/cloudevents.ts';

export type Appended = { readonly stream: string; readonly seq: number; readonly duplicate: boolean };

/**
 * A persistent stream that recognises, for at least two minutes, an event whose id it has seen.
 * What fails rejects with UnavailableError; the event may or may not have been stored then, and a retry is safe. An event that it can
 * never take, such as one that is too large, is an UnreadableError.
 */
export type EventStream = {
  /** Connected, and known to be so: a connection that has been idle is probed first, and replaced if it does not answer. */
  ready(): Promise<void>;
  /** Resolves once the stream has stored the event, or recognised it. Many may be under way at once. */
  append(event: CloudEventJson): Promise<Appended>;
  /** Gives up the connection; the next `ready` opens another. */
  abandon(): void;
};
