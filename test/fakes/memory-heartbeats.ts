import type { Heartbeat, Heartbeats } from '../../shared/ports/heartbeats.ts';

/** The Heartbeats port in memory. */
export const memoryHeartbeats = (): Heartbeats => {
  let held: Heartbeat = { sentAt: 0, waitingSince: 0, processedAt: 0 };
  return {
    read: async () => held,
    async claim(next, previousSentAt) {
      if (held.sentAt !== previousSentAt) return false;
      held = { ...held, ...next };
      return true;
    },
    async processed(sentAt) {
      held = { ...held, processedAt: Math.max(held.processedAt, sentAt) };
    },
  };
};
