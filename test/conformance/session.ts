import type { EventFeed } from './events.ts';
import type { Lifetime } from './lifetime.ts';
import type { Provider } from './provider.ts';
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
  /** Publishes a request as the control plane does for an agent; undefined where there is no such stream. */
  readonly askAgent?: ((idempotencyKey: string, resourceId: string, spec: Spec) => Promise<void>) | undefined;
  readonly now: () => number;
  readonly pause: (ms: number) => Promise<unknown>;
};

/** A run: what it was given, and what its checks share so that few resources are created. */
export type Session = Given & {
  newId(): string;
  /** The spec, with the id as its name: some providers ask for that. */
  specOf(id: string): Spec;
  /** The id of one resource that was created with id and wrapped spec, and is there. */
  specimen(): Promise<string>;
  /** One resource from its create to its end, as the status stream told it. @throws Skipped without a stream. */
  lifetime(): Promise<Lifetime>;
  /** What the provider registered, in the order it did; waits for the first. @throws Skipped without a registry, NotConforming. */
  registered(): Promise<readonly Registration[]>;
  /** Whether it came true in time. */
  eventually(condition: () => boolean | Promise<boolean>): Promise<boolean>;
};
