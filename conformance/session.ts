import type { AgentRequests } from './agent-requests.ts';
import type { EventFeed } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { Answer, Provider } from './provider.ts';
import type { Registration, Registry } from './registry.ts';
import type { Vocabulary } from './vocabulary.ts';

export type Spec = Readonly<Record<string, unknown>>;

/** What a run is given. */
export type Given = {
  readonly provider: Provider;
  readonly serviceType: string;
  readonly vocabulary: Vocabulary;
  /** The spec of every resource that is created. */
  readonly spec: Spec;
  /** How long to wait for a resource to run, to be gone, to be told of. */
  readonly timeoutMs: number;
  readonly feed?: EventFeed | undefined;
  readonly registry?: Registry | undefined;
  /** undefined without NATS. */
  readonly agentRequests?: Pick<AgentRequests, 'publish'> | undefined;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
};

/**
 * How a create is sent: with `?id=` and the spec in `{"spec": …}`, as by the old control plane; with `?id=` and the bare spec; or as by an
 * environment agent, bare and with an Idempotency-Key alone.
 */
export type CreateForm = 'wrapped' | 'bare' | 'agent';

/** A create, and what it was answered; `error` where no answer came. */
export type Attempt = { readonly id: string } & (
  | { readonly answer: Answer }
  | { readonly answer?: undefined; readonly error: unknown }
);

/** A run: what it was given, and what its checks share so that few resources are created. */
export type Session = Given & {
  newId(): string;
  /** The spec, with the id as its name: some providers ask for that. */
  specOf(id: string): Spec;
  /** The run's first create in this form. @throws Skipped where an agent's request cannot be published. */
  firstCreate(form: CreateForm): Promise<Attempt>;
  /**
   * The id of one resource that was created and is there, in the first form that the provider takes.
   * @throws NotConforming where it takes none, and no check has reported that yet; after that Skipped, for what depends on a create.
   */
  specimen(): Promise<string>;
  /** Creates another resource in the form that the specimen was created in. @throws NotConforming where it is refused, and what `specimen` throws. */
  create(id: string, spec?: Spec): Promise<Answer>;
  /** One resource from its create to its end, as the status stream told it. @throws Skipped without a stream, NotConforming without events. */
  lifetime(): Promise<Lifetime>;
  /** What the provider registered, in the order it did; waits for the first. @throws Skipped without a registry, NotConforming. */
  registered(): Promise<readonly Registration[]>;
  /** Whether it came true in time. */
  eventually(condition: () => boolean | Promise<boolean>): Promise<boolean>;
};
