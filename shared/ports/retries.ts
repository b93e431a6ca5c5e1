/** What becomes of queue messages that are not done. */
export type Retries = {
  /** The message comes again after this many seconds, at most 43,200. */
  postpone(receiptHandle: string, seconds: number): Promise<void>;
  /** To the dead-letter queue, with the reason, for people to look at. */
  deadLetter(body: string, reason: string): Promise<void>;
};
