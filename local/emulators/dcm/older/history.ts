/** How one status event was consumed. */
export type Consumed = {
  /** 1 for the first event since the control plane started, then one more each. */
  readonly position: number;
  /** The row's id. This and the other words of the event are absent where it could not be read. */
  readonly id?: string | undefined;
  /** As stored: lower case, trimmed. */
  readonly status?: string | undefined;
  readonly message?: string | undefined;
  /** The CloudEvent's id. */
  readonly eventId?: string | undefined;
  /** The CloudEvent's extension `sequence`. */
  readonly sequence?: string | undefined;
  /** The message's place in the stream. The same one twice is a redelivery. */
  readonly streamSeq: number;
  /** Which delivery of the message this was, from 1. */
  readonly deliveries: number;
  /** Milliseconds since 1970 on this machine's clock: when it was taken up, and when the database had answered. */
  readonly receivedAtMs: number;
  readonly appliedAtMs: number;
  /**
   * applied: the row has it. added: it made the row. skipped: no such row. dropped: not readable.
   * nak: the database refused it, so it is delivered again for as long as that lasts; only the first refusal is kept.
   */
  readonly outcome: 'applied' | 'added' | 'skipped' | 'dropped' | 'nak';
  /** Why it was not applied. */
  readonly reason?: string | undefined;
};

/** What was consumed so far, oldest first; in memory. */
export type History = {
  /** At most the last 10,000. */
  entries(): readonly Consumed[];
  record(consumed: Omit<Consumed, 'position'>): void;
  /** Tells of each event once it is consumed, until the returned function is called. A listener must not throw. */
  onConsumed(listener: (consumed: Consumed) => void): () => void;
};

export const keepHistory = (capacity = 10_000): History => {
  const kept: Consumed[] = [];
  const listeners = new Set<(consumed: Consumed) => void>();
  let position = 0;
  return {
    entries: () => [...kept],
    record: (consumed) => {
      position += 1;
      const entry = { position, ...consumed };
      kept.push(entry);
      if (kept.length > capacity) kept.shift();
      for (const listener of listeners) listener(entry);
    },
    onConsumed: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
};

/** Did the event reach its row? */
export const hasReachedRow = ({ outcome }: Pick<Consumed, 'outcome'>): boolean =>
  outcome === 'applied' || outcome === 'added';
