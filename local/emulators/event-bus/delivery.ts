import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../shared/core/errors.ts';

/** What becomes of the events that match any of the patterns. */
export type Rule = {
  readonly name: string;
  /** Event patterns in EventBridge's language, of which EventPattern (shared/wire/eventbridge.ts) is a part. */
  readonly patterns: readonly unknown[];
  /** Hands one event, as EventBridge's JSON, to the rule's target. It is tried again where it rejects. */
  readonly deliver: (event: string) => Promise<void>;
};

const pausesMs = [50, 100, 200, 400, 800];

/** Carries events to the targets of rules, and forgets none that is under way. */
export const deliveries = (log: (line: string) => void) => {
  const underway = new Set<Promise<void>>();
  const closing = new AbortController();

  const deliver = async (rule: Omit<Rule, 'patterns'>, event: string): Promise<void> => {
    for (const pauseMs of [...pausesMs, undefined]) {
      try {
        return await rule.deliver(event);
      } catch (error) {
        const goesOn = pauseMs !== undefined && !closing.signal.aborted;
        if (!goesOn) return log(`${rule.name}: an event is lost: ${reasonOf(error)}: ${event}`);
        await sleep(pauseMs, undefined, { signal: closing.signal }).catch(() => {});
      }
    }
  };

  return {
    begin: (rule: Omit<Rule, 'patterns'>, event: string): void => {
      const delivery = deliver(rule, event).finally(() => underway.delete(delivery));
      underway.add(delivery);
    },
    /** Waits for what is under way, which is tried once more and no longer. */
    end: async (): Promise<void> => {
      closing.abort();
      await Promise.all(underway);
    },
  };
};
