import type { TagKeys } from '../../shared/core/ownership.ts';
import type { Facts } from '../../shared/core/record.ts';
import { type Target, targetKey } from '../../shared/core/target.ts';
import type { ReadsChanges } from '../../shared/http/changes.ts';
import type { Call } from '../../shared/http/operation.ts';
import type { AgentRequests } from '../../shared/ports/agent-requests.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { DescribedResource, DescribedResources } from '../../shared/ports/described-resources.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { Overview } from '../../shared/wire/overview.ts';
import { checkResource, refuseAdopted } from './check-resource.ts';
import { awaitCreation, type CreateAsked, createResource } from './create-resource.ts';
import { completeDeletion, deleteResource, terminateResource } from './delete-resource.ts';
import type { checkHealth } from './health/check-health.ts';
import { findOrphan, launchResource } from './launch-resource.ts';
import type { Lifecycle } from './lifecycle.ts';
import type { WithUsage } from './operations/usage.ts';
import { type Events, type ListAsked, type Page, readResources } from './read-resources.ts';
import { reportRefusals } from './report-refusals.ts';
import type { ClusterUseCases } from './service-types/cluster.ts';
import type { ContainerUseCases } from './service-types/container.ts';
import type { VmUseCases } from './service-types/vm.ts';

/** What the API's operations call. */
export type UseCases = WithUsage & {
  readonly vm: VmUseCases;
  readonly checkHealth: ReturnType<typeof checkHealth>;
  /** Undefined: containers are not deployed. */
  readonly container?: ContainerUseCases | undefined;
  /** Undefined: clusters are not deployed. */
  readonly cluster?: ClusterUseCases | undefined;
  /** Undefined: there is no console. */
  readonly console?: ConsoleUseCases | undefined;
  /** As AgentRequests.find. Undefined: the look-up is not configured. */
  readonly findRequest: AgentRequests['find'] | undefined;
};

/** What the operations of the console call. */
export type ConsoleUseCases = ReadsChanges & {
  readonly readOverview: (rows: number, permits: Call<unknown>['permits']) => Promise<Overview>;
  /** The page, in an encoding that the browser accepts. */
  readonly page: (acceptEncoding: string) => Response;
};

/** What the operations of one collection call. */
export type CollectionUseCases<Spec, Answer, Validation> = {
  readonly create: (asked: CreateAsked<Spec>) => Promise<Answer>;
  readonly reportRefusals: ReturnType<typeof reportRefusals>;
  /** What a create with the spec would launch. Creates nothing. */
  readonly validate: (spec: Spec, about: Target & { readonly requestId: string }) => Promise<Validation>;
  readonly delete: (dcmId: string, requestId: string) => Promise<void>;
  /** The recorded deletions, and what completes one. */
  readonly deletions: {
    readonly requested: Records['deletionsRequested'];
    readonly complete: ReturnType<typeof completeDeletion>;
  };
  readonly read: {
    readonly get: (dcmId: string) => Promise<Answer>;
    readonly list: (asked: ListAsked) => Promise<Page<Answer>>;
    readonly events: (dcmId: string) => Promise<Events>;
  };
};

/**
 * The records of one target alone, so that the credentials of another one reach none of them, whatever id a path has: others are not found,
 * and their ids are not given to a second resource. Without a target, all records.
 */
export const recordsIn = <Launch, Known extends Facts>(
  target: Target | undefined,
  records: Records<Launch, Known>,
): Records<Launch, Known> =>
  target === undefined
    ? records
    : {
        ...records,
        async read(dcmId) {
          const record = await records.read(dcmId);
          return record?.region === targetKey(target) ? record : undefined;
        },
        begin: (beginning) => records.begin({ ...beginning, thereAlone: true }),
        requestDelete: (dcmId) => records.requestDelete(dcmId, target),
      };

/** What the use cases of every service type are given. */
export type LifecyclePorts<Launch, Known extends Facts> = {
  /** The account of the resources. Undefined: the home account. */
  readonly account?: string | undefined;
  readonly records: Records<Launch, Known>;
  readonly resourceStore: ResourceStore;
  readonly observations: Observations;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly pause: (ms: number) => Promise<void>;
  readonly log: Log;
};

type Ports<Launch, Known extends Facts, Seen extends DescribedResource> = LifecyclePorts<Launch, Known> & {
  /** The service's own view of the resources. */
  readonly resources: Pick<DescribedResources<Seen>, 'list' | 'describe'>;
  /** Whether resources that this provider did not launch may be changed. */
  readonly changeAdopted: boolean;
};

/** The use cases that create, read and delete resources of one service type, which supplies its lifecycle. */
export const resourceUseCases = <Spec, Launch, Known extends Facts, Answer, Seen extends DescribedResource>(
  given: Ports<Launch, Known, Seen>,
  type: Lifecycle<Spec, Launch, Known, Answer, Seen>,
): Omit<CollectionUseCases<Spec, Answer, never>, 'validate'> => {
  const ports = { ...given, type };
  const isStillIt = checkResource(ports);
  const orphanOf = findOrphan(ports);
  const creationOf = awaitCreation(ports);
  const terminate = terminateResource({ ...ports, isStillIt });
  return {
    create: createResource({
      ...ports,
      launch: launchResource({ ...ports, isStillIt, orphanOf }),
      ...{ terminate, creationOf, refuseAdopted: refuseAdopted(type.format.kind, given.changeAdopted) },
    }),
    reportRefusals: reportRefusals(ports),
    delete: deleteResource({ ...ports, creationOf, orphanOf, terminate }),
    deletions: {
      requested: given.records.deletionsRequested,
      complete: completeDeletion({ ...ports, orphanOf, terminate }),
    },
    read: readResources(ports),
  };
};
