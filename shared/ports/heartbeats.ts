/** The progress of the heartbeats that health sends through the observations queue. Seconds since 1970 on our clocks; 0: never. */
export type Heartbeat = {
  /** When the newest was sent. */
  readonly sentAt: number;
  /** When the oldest heartbeat that may be unprocessed was sent; at most `processedAt` where all are processed. */
  readonly waitingSince: number;
  /** When the newest processed heartbeat was sent. */
  readonly processedAt: number;
};

/** One heartbeat a deployment, shared by all execution environments. All rejections are UnavailableErrors. */
export type Heartbeats = {
  read(): Promise<Heartbeat>;
  /** True where the caller is to send the next heartbeat; false where another caller has claimed one since `previousSentAt`. */
  claim(next: Pick<Heartbeat, 'sentAt' | 'waitingSince'>, previousSentAt: number): Promise<boolean>;
  /** The heartbeat that was sent at `sentAt` is processed. Idempotent; an older one changes nothing. */
  processed(sentAt: number): Promise<void>;
};
