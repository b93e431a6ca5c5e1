/** What DCM's control plane asks of environment agents, and they then ask of us without saying for which resource. */
export type AgentRequests = {
  /**
   * The DCM id of the resource that a create is for. `idempotencyKey` is the id of the request's CloudEvent, which an agent sends as
   * Idempotency-Key. null: among all requests there is no create with that id, and asking again will not find one.
   * @throws UnavailableError where that cannot be known now, SettingsError where the lookup is not configured.
   */
  find(idempotencyKey: string): Promise<string | null>;
};
