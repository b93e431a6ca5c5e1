/** Postpones or dead-letters queue messages that could not be processed. */
export type Retries = {
  /** SQS redelivers the message after this many seconds, at most 43,200. */
  postpone(receiptHandle: string, seconds: number): Promise<void>;
  /** Sends the message to the dead-letter queue, with the reason. */
  deadLetter(body: string, reason: string): Promise<void>;
};
