import type { Kind } from '../../shared/core/kind.ts';
import type { Addresses } from '../../shared/core/outputs.ts';
import type { Facts, LaunchedRecord, ResourceRecord } from '../../shared/core/record.ts';
import type { Resource } from '../../shared/core/resource.ts';
import type { Target } from '../../shared/core/target.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import type { LaunchedResource, RecordFormat } from '../../shared/ports/records.ts';
import type { Ownership } from '../../shared/ports/resource-store.ts';

/** The request that a launch is planned for. */
export type PlanRequest = Target & {
  readonly dcmId: string;
  readonly requestId: string;
  /** As in ResourceRecord: how many resources had this id before. */
  readonly generation: number;
};

/** A state that the service's answer proves, with its second since 1970: queued as an observation. */
export type Announced = { readonly state: string; readonly at: number };

/** A resource that the service has just launched. `launchedAtMs` of the facts is 0 where the service does not say. */
export type Launched<Known extends Facts> = Pick<LaunchedResource<Known>, 'resourceId' | 'account' | 'facts'>;

/**
 * How resources of one service type are launched, recognised, ended and answered: all that the use cases do not know themselves.
 * `Launch` is the plan of a launch, `Known` are the facts of a resource from its launch on.
 */
export type Lifecycle<Spec, Launch, Known extends Facts, Answer, Seen extends DescribedResource> = {
  /** How the records are stored; with the kind. */
  readonly format: Pick<RecordFormat<Launch, Known>, 'kind' | 'factsOf'>;
  /** The AWS service, in messages: `EC2`. */
  readonly service: string;
  /** Everything that `run` needs; it is recorded before the service is asked. May be called again for the same request. */
  readonly plan: (spec: Spec, request: PlanRequest) => Promise<Launch>;
  /** How many placements the plan has, at least one; the next one is tried where the service has no capacity for one. */
  readonly placements: (plan: Launch) => number;
  /**
   * Launches exactly one resource for a placement, counted from 0. Idempotent by `clientToken`.
   * @throws CapacityError where there is no capacity for this placement, but may be some for another; other ProviderErrors.
   */
  readonly run: (plan: Launch, placement: number, clientToken: string) => Promise<Launched<Known>>;
  /**
   * Whether a plan that an earlier request has recorded is looked for before it is tried again: where the service forgets client tokens
   * sooner than records are kept. @default false: only where the service refuses the launch
   */
  readonly searchesFirst?: boolean;
  /** What a described resource itself shows. */
  readonly factsSeen: (seen: Seen) => Known;
  /** The addresses, as far as they are known at the launch. */
  readonly addressesOf: (facts: Known) => Addresses;
  /**
   * Ends a resource. Resolves also where it has ended already.
   * @returns what the answer proves. @throws FailedPreconditionError where it is protected; UnavailableError where a retry is needed.
   */
  readonly terminate: (
    record: Pick<LaunchedRecord<Launch, Known>, 'dcmId' | 'resourceId' | 'region' | 'facts'>,
  ) => Promise<Announced>;
  /**
   * Ends a resource that was launched too late to become the one of its id. Resolves once it will end. @default terminate
   */
  readonly discard?: (record: Pick<LaunchedRecord<Launch, Known>, 'dcmId' | 'resourceId'>) => Promise<void>;
  /** Whether a resource has ended and stays until DCM deletes it: its deletion is announced without a call of the service. */
  readonly staysEnded?: (held: Pick<Resource, 'state'>) => boolean;
  /** The resource as the API answers it, from its record and from what the resource store holds of it. */
  readonly answerOf: (record: ResourceRecord<Launch, Known>, held: Ownership, nowMs: number) => Answer;
};

/** Of a resource that is not ending: neither its last state nor one that is reported as DELETING. */
export const isLivingState = (kind: Kind, state: string): boolean =>
  !['DELETING', 'DELETED'].includes(kind.statusOf(state, { deleteRequested: true }));

/** The section of the settings file about the kind. */
export const settingsOf = ({ collection }: Pick<Kind, 'collection'>): string =>
  collection === 'vms' ? 'provisioning' : collection;
