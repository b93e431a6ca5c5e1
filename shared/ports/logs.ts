import type { Target } from '../core/target.ts';

export type LogRequest = {
  readonly target: Target;
  /** The id of the resource in the inventory. */
  readonly id: string;
  /** Which of the resource's logs. */
  readonly stream: string;
  /** Whether the newest lines are wanted, where the service does not give all at once. */
  readonly newest: boolean;
};

export type LogText = {
  /** As the service has it: with its secrets, if it has any. */
  readonly text: string;
  /** When the service last had something new; undefined: it does not say. */
  readonly updatedAt: Date | undefined;
};

/** Reads the log of a resource, by one call of AWS. @throws ProviderError */
export type LogReader = (request: LogRequest) => Promise<LogText>;
