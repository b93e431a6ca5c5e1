import type { AgentRequests } from './agent-requests.ts';
import type { EventFeed } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { Answer, Provider } from './provider.ts';
import type { Registration, Registry } from './registry.ts';
import type { Vocabulary } from './vocabulary.ts';

export type Spec = Readonly<Record<string, unknown>>;

/** The input of a run. */
export type Given = {
  readonly provider: Provider;
  readonly serviceType: string;
  readonly vocabulary: Vocabulary;
  /** The spec of every resource that is created. */
  readonly spec: Spec;
  /** How long to wait for a resource to run, to be deleted, or to be reported. */
  readonly timeoutMs: number;
  readonly feed?: EventFeed | undefined;
  readonly registry?: Registry | undefined;
  /** undefined without NATS. */
  readonly agentRequests?: Pick<AgentRequests, 'publish'> | undefined;
  /** What only the operator of the provider can do. */
  readonly outside?: Outside | undefined;
  /** DCM's control plane of the older generation, at which the provider is registered; its URL without a path. */
  readonly controlPlane?: string | undefined;
  /** Calls DCM's control plane. */
  readonly fetch: typeof fetch;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
};

export type Outside = {
  /** Restarts NATS; its streams survive. Settles when it answers again. */
  restartNats?(): Promise<void>;
  /** Stops what runs for a resource, without DCM and without the provider. */
  stop?(id: string): Promise<void>;
};

/**
 * The form of a create. `wrapped`: `?id=` and the spec in `{"spec": …}`, as the old control plane sends it. `bare`: `?id=` and the spec as
 * body. `agent`: the spec as body and an Idempotency-Key, without an id, as an environment agent sends it.
 */
export type CreateForm = 'wrapped' | 'bare' | 'agent';

/** A create and its answer; `error` where no answer came. */
export type Attempt = { readonly id: string } & (
  | { readonly answer: Answer }
  | { readonly answer?: undefined; readonly error: unknown }
);

/** A run: its input, and what its checks share so that few resources are created. */
export type Session = Given & {
  newId(): string;
  /** The spec with the id as its name, which some providers require. */
  specOf(id: string): Spec;
  /** The run's first create in this form. @throws Skipped where an agent's request cannot be published. */
  firstCreate(form: CreateForm): Promise<Attempt>;
  /**
   * The id of one existing resource, created in the first form that the provider accepts.
   * @throws NotConforming for the first check where the provider accepts none, and Skipped for the later ones
   */
  specimen(): Promise<string>;
  /** Creates another resource in the same form as the specimen. @throws NotConforming where it is refused, and the errors of `specimen`. */
  create(id: string, spec?: Spec): Promise<Answer>;
  /** The lifetime of one resource, observed on the status stream. @throws Skipped without a stream, NotConforming without events. */
  lifetime(): Promise<Lifetime>;
  /** The provider's registrations, in order; waits for the first. @throws Skipped without a registry, NotConforming. */
  registered(): Promise<readonly Registration[]>;
  /** Whether the condition became true in time. @default withinMs timeoutMs */
  eventually(condition: () => boolean | Promise<boolean>, withinMs?: number): Promise<boolean>;
};
