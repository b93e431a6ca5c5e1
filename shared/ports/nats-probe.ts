/** Whether statuses can reach DCM just now, and if not, why. */
export type NatsState =
  /** `unreadableRequests`: why the requests to environment agents cannot be read, so that their creates fail. */
  | { readonly connected: true; readonly unreadableRequests?: string | undefined }
  | { readonly connected: false; readonly reason: string };

/** Asks NATS now, for seconds at most. Never rejects: whatever goes wrong is the reason. Publishes nothing. */
export type NatsProbe = () => Promise<NatsState>;
