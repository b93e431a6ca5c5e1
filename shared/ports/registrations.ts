/** What became of the last attempt to register one provider row at DCM. Times in seconds since 1970. */
export type Registration = {
  readonly outcome: 'registered' | 'refused' | 'unreachable';
  /** In words; no credential is in it. */
  readonly detail: string;
  readonly at: number;
  readonly providerId: string;
  /** The schedule leaves the row alone until then; undefined: its next run tries. */
  readonly nextAttemptAt?: number | undefined;
  /** When DCM made the row, on DCM's clock, as of the last attempt that succeeded. */
  readonly rowCreatedAt?: number | undefined;
  /** The last `metadata.registered_at` that DCM accepted. */
  readonly registeredAt?: number | undefined;
  /** When every status of the region was last asked for again. */
  readonly republishedAt?: number | undefined;
};

/** What is remembered of the attempts, by row name. All rejections are UnavailableErrors. */
export type Registrations = {
  recall(rowNames: readonly string[]): Promise<ReadonlyMap<string, Registration>>;
  record(rowName: string, registration: Registration): Promise<void>;
  /** Idempotent. */
  forget(rowName: string): Promise<void>;
};
