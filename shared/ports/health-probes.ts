import type { Target } from '../core/target.ts';

/**
 * Resolves where the AWS service of a service type answers in the target and permits us to read; waits for a few seconds at most.
 * @throws UnavailableError with a reason that may be shown publicly.
 */
export type ServiceProbe = (target: Target) => Promise<void>;

/** Whether statuses can be published now, and if not, why. */
export type NatsState =
  /** `unreadableRequests`: why the requests to environment agents cannot be read, so that their creates fail. */
  | { readonly connected: true; readonly unreadableRequests?: string | undefined }
  | { readonly connected: false; readonly reason: string };

/** Asks NATS, and waits for a few seconds at most. Never rejects: an error becomes the `reason`. Publishes nothing. */
export type NatsProbe = () => Promise<NatsState>;

/**
 * When a version of the provider first answered, in seconds since 1970: the first call sets it for all execution environments.
 * @throws UnavailableError where the store did not answer.
 */
export type FirstAnswer = (version: string) => Promise<number>;

/**
 * How many seconds a message waits for the normaliser, measured by heartbeats; 0 where none waits.
 * @throws UnavailableError where the queue or the store of heartbeats does not answer.
 */
export type Backlog = () => Promise<number>;
