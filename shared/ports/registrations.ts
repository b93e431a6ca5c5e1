/** The result of the last attempt to register one provider at DCM. Times in seconds since 1970. */
export type Registration = {
  readonly outcome: 'registered' | 'refused' | 'unreachable';
  /** For people; without credentials. */
  readonly detail: string;
  readonly at: number;
  readonly providerId: string;
  /** The schedule does not retry before this time; undefined: its next run retries. */
  readonly nextAttemptAt?: number | undefined;
  /** When DCM created the provider, on DCM's clock, as of the last successful attempt. */
  readonly rowCreatedAt?: number | undefined;
  /** The last `metadata.registered_at` that DCM accepted. */
  readonly registeredAt?: number | undefined;
  /** When the last republication of every status was requested. */
  readonly republishedAt?: number | undefined;
};

/** The last attempts, by the provider's name. All rejections are UnavailableErrors. */
export type Registrations = {
  read(providerNames: readonly string[]): Promise<ReadonlyMap<string, Registration>>;
  record(providerName: string, registration: Registration): Promise<void>;
  /** Idempotent. */
  forget(providerName: string): Promise<void>;
};
