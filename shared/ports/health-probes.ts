import type { Target } from '../core/target.ts';

/**
 * Resolves where EC2 answers in the target and permits us to describe instances; waits for a few seconds at most.
 * @throws UnavailableError with the reason, in words that may be public.
 */
export type Ec2Probe = (target: Target) => Promise<void>;

/** Whether statuses can reach DCM just now, and if not, why. */
export type NatsState =
  /** `unreadableRequests`: why the requests to environment agents cannot be read, so that their creates fail. */
  | { readonly connected: true; readonly unreadableRequests?: string | undefined }
  | { readonly connected: false; readonly reason: string };

/** Asks NATS now, for seconds at most. Never rejects: whatever goes wrong is the reason. Publishes nothing. */
export type NatsProbe = () => Promise<NatsState>;

/**
 * When a version of the provider first answered, in seconds since 1970: whoever asks first decides it, for all execution environments.
 * @throws UnavailableError where that is not known now.
 */
export type FirstAnswer = (version: string) => Promise<number>;

/**
 * How many seconds a message waits for the normaliser, by a sample; 0 where none does.
 * @throws UnavailableError where the queue or what is known of it does not answer.
 */
export type Backlog = () => Promise<number>;
