import type { EventBridgeEvent } from '../wire/eventbridge.ts';

/** The queue of events about instances, which the normaliser reads. */
export type Observations = {
  /**
   * Any number of events. They can be received after `afterSeconds`: 0 to 900. @default 0. Resolves when all of them are in the queue.
   * @throws UnavailableError where some may not be in the queue.
   */
  send(events: readonly EventBridgeEvent[], afterSeconds?: number): Promise<void>;
};
