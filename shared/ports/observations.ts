import type { EventBridgeEvent } from '../wire/eventbridge.ts';

/** The queue where everything that is learnt of instances waits for the normaliser. */
export type Observations = {
  /**
   * Any number of events. They can be read once `afterSeconds` have passed: 0 to 900, and 0 unless given. Resolves when all of them are
   * in the queue. @throws UnavailableError where some may not be.
   */
  send(events: readonly EventBridgeEvent[], afterSeconds?: number): Promise<void>;
};
