import type { EventStream } from '../../shared/ports/event-stream.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';

export type MemoryEventStream = EventStream & {
  /** The stored events, in order. */
  readonly stored: readonly CloudEventJson[];
};

/** The EventStream port in memory: stores each id only once. */
export const memoryEventStream = (): MemoryEventStream => {
  const stored: CloudEventJson[] = [];
  const seen = new Map<string, number>();
  return {
    stored,
    ready: async () => undefined,
    abandon: () => undefined,
    async append(event) {
      const seq = seen.get(event.id);
      if (seq !== undefined) return { stream: 'memory', seq, duplicate: true };
      stored.push(event);
      seen.set(event.id, stored.length);
      return { stream: 'memory', seq: stored.length, duplicate: false };
    },
  };
};
