/** Whether statuses can reach DCM just now, and if not, why. */
export type NatsState = { readonly connected: true } | { readonly connected: false; readonly reason: string };

/** Asks NATS now, for seconds at most. Never rejects: whatever goes wrong is the reason. Publishes nothing. */
export type NatsProbe = () => Promise<NatsState>;
