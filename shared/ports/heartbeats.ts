/** How far the heartbeats that health sends through the observations queue have come. Seconds since 1970 on our clocks; 0: never. */
export type Heartbeat = {
  /** When the newest was sent. */
  readonly sentAt: number;
  /** When the oldest was sent that may still be unprocessed; at most `processedAt` where none is. */
  readonly waitingSince: number;
  /** When the newest that the normaliser processed was sent. */
  readonly processedAt: number;
};

/** One heartbeat a deployment, whichever execution environment sends or processes it. All rejections are UnavailableErrors. */
export type Heartbeats = {
  read(): Promise<Heartbeat>;
  /** True where the caller is to send the next heartbeat; false where somebody else did since `previousSentAt`. */
  claim(next: Pick<Heartbeat, 'sentAt' | 'waitingSince'>, previousSentAt: number): Promise<boolean>;
  /** The heartbeat that was sent at `sentAt` is processed. Idempotent; an older one changes nothing. */
  processed(sentAt: number): Promise<void>;
};
