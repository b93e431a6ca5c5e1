/** A create that DCM's control plane has requested of an environment agent. The agent's call of our API does not name the resource. */
export type AgentRequest = {
  /** The DCM id of the resource. */
  readonly resourceId: string;
  /** DCM's service type, such as `vm`; undefined where the request does not say. */
  readonly serviceType?: string | undefined;
};

/** The requests that DCM's control plane has published for environment agents. */
export type AgentRequests = {
  /**
   * The create with the CloudEvent id `idempotencyKey`: an agent sends that id as Idempotency-Key. null: all messages were read and none
   * is the request, so a later call will not find it either. Takes two seconds at most.
   * @throws UnavailableError where not all messages could be read, SettingsError where the look-up is not configured.
   */
  find(idempotencyKey: string): Promise<AgentRequest | null>;
  /** Why requests cannot be read now; undefined where they can, or where the look-up is not configured. Never rejects. */
  check(): Promise<string | undefined>;
};
