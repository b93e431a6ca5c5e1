import { UnavailableError, UnprocessableError } from '../../../shared/core/errors.ts';
import { targetOfKey } from '../../../shared/core/target.ts';
import type { Operation } from '../../../shared/http/operation.ts';
import type { ClusterSteps } from '../../../shared/ports/cluster-steps.ts';
import { clusterKind, resourceIdOf } from '../../../shared/service-types/cluster/kind.ts';
import type { ClusterPlan } from '../../../shared/service-types/cluster/launch.ts';
import { type PlanningParts, planCluster } from '../../../shared/service-types/cluster/plan/plan-cluster.ts';
import type { Cluster, ClusterActions, Clusters } from '../../../shared/service-types/cluster/ports.ts';
import type { ClusterProvisioning } from '../../../shared/service-types/cluster/provisioning.ts';
import {
  type ClusterFacts,
  clusterRecords,
  factsSeen,
} from '../../../shared/service-types/cluster/record.ts';
import {
  ClusterEvents,
  ClusterPage,
  ClusterResource,
  ClusterValidation,
  clusterResource,
  kubeconfigOf,
  nodesOf,
} from '../../../shared/service-types/cluster/resource.ts';
import { type ClusterSpec, specOf } from '../../../shared/service-types/cluster/spec.ts';
import type { Lifecycle } from '../lifecycle.ts';
import { type Collection, collectionOperations } from '../operations/collection.ts';
import { countLiving, readResources } from '../read-resources.ts';
import {
  type CollectionUseCases,
  type LifecyclePorts,
  resourceUseCases,
  type UseCases,
} from '../use-cases.ts';

/** The use cases of clusters. */
export type ClusterUseCases = CollectionUseCases<ClusterSpec, ClusterResource, ClusterValidation>;

const clusters: Collection<ClusterSpec, ClusterResource, ClusterValidation> = {
  kind: clusterKind,
  service: 'EKS',
  specOf,
  answers: {
    resource: ClusterResource,
    page: ClusterPage,
    events: ClusterEvents,
    validation: ClusterValidation,
  },
  texts: {
    deletes:
      'Deletes the node groups, then the cluster, which takes minutes. Load balancers and volumes that workloads made of a cluster with `workers` remain.',
    validates: 'Chooses the version and the worker nodes as a create would. EKS has no dry run.',
  },
  useCasesOf: ({ cluster }) => cluster,
};

export const clusterOperations: readonly Operation<UseCases>[] = collectionOperations(clusters);

export type ClusterPorts = LifecyclePorts<ClusterPlan, ClusterFacts> & {
  readonly clusters: Pick<Clusters, 'list' | 'describe'>;
  readonly actions: Pick<ClusterActions, 'create'>;
  readonly steps: ClusterSteps;
};

/** The use cases of clusters, by the operator's settings. */
export const clusterUseCases = (
  ports: ClusterPorts & Omit<PlanningParts, 'livingClusters'>,
): ClusterUseCases => {
  const { account } = ports;
  const { regions, maximumClusters, changeAdopted } = ports.provisioning;
  const livingClusters = countLiving({
    ...{ records: ports.records, list: readClusters(ports).list, isLiving: isLivingCluster },
    ...{ targets: Object.keys(regions).map((region) => ({ region, account })), maximum: maximumClusters },
  });
  const plan = planCluster({ ...ports, livingClusters });
  return { ...clusterLifecycle({ ...ports, plan, changeAdopted }), validate: validateCluster(plan) };
};

/** Those that count towards `maximumClusters`: a cluster that has FAILED still costs money. */
const isLivingCluster = ({ cluster_name: name, status }: ClusterResource): boolean =>
  name !== undefined && status !== 'DELETING' && status !== 'DELETED';

const readClusters = (ports: Pick<ClusterPorts, 'records' | 'resourceStore' | 'now' | 'log'>) =>
  readResources({ ...ports, type: { format: clusterRecords, answerOf: clusterResource } });

type Plan = Lifecycle<ClusterSpec, ClusterPlan, ClusterFacts, ClusterResource, Cluster>['plan'];

/**
 * The use cases that create, read and delete clusters. A create answers once EKS is creating the cluster, a delete once it is recorded that
 * DCM wants it deleted: what takes longer is done by functions/cluster-steps.
 */
export const clusterLifecycle = (
  ports: ClusterPorts & {
    readonly plan: Plan;
    /** Whether clusters that this provider did not create may be deleted. */
    readonly changeAdopted: ClusterProvisioning['changeAdopted'];
  },
): Omit<ClusterUseCases, 'validate'> => {
  const { steps, log } = ports;
  const useCases = resourceUseCases({ ...ports, resources: ports.clusters }, lifecycleOf(ports));
  const withKubeconfig = addKubeconfig(ports);
  return {
    ...useCases,
    async create(asked) {
      const answer = await useCases.create(asked);
      const { dcmId } = asked;
      await steps
        .request([{ dcmId, continues: true }])
        .catch((error: unknown) =>
          log.warn('a step of a cluster was not queued; the next listing has it taken', { dcmId, error }),
        );
      return answer;
    },
    async delete(dcmId, requestId) {
      // Should this request end after the deletion is recorded and before its step is queued, this step deletes the cluster all the same.
      await steps.request([{ dcmId, continues: true }], secondsUntilRecorded);
      await useCases.delete(dcmId, requestId);
    },
    read: { ...useCases.read, get: async (dcmId) => withKubeconfig(await useCases.read.get(dcmId)) },
  };
};

/** Longer than a request takes. */
const secondsUntilRecorded = 30;

const describeTimeoutMs = 2_000;

const lifecycleOf = ({
  plan,
  clusters: described,
  actions,
  steps,
  now,
}: Pick<ClusterPorts, 'clusters' | 'actions' | 'steps' | 'now'> & { readonly plan: Plan }): Lifecycle<
  ClusterSpec,
  ClusterPlan,
  ClusterFacts,
  ClusterResource,
  Cluster
> => ({
  format: clusterRecords,
  service: 'EKS',
  plan,
  placements: () => 1,
  async run(planned, _placement, token) {
    const { name } = planned;
    const target = targetOfKey(planned.region);
    const { region } = target;
    const resourceId = resourceIdOf(target, name);
    const created = await actions.create(planned, token);
    if (created !== 'taken')
      return { resourceId, account: created.account, facts: { launchedAtMs: created.createdAtMs } };
    const seen = (await described.describe(target, [resourceId], describeTimeoutMs)).get(resourceId);
    if (seen === undefined)
      throw new UnavailableError(`EKS in ${region} has a cluster ${name}, and does not show it yet; retry`);
    if (seen.clientToken !== token)
      throw new UnprocessableError(
        `id: expected another one: EKS in ${region} has a cluster ${name} already, which this provider did not create for this request`,
      );
    return { resourceId, account: seen.account, facts: factsSeen(seen) };
  },
  factsSeen,
  addressesOf: () => ({}),
  /**
   * By steps: only EKS's answers to functions/cluster-steps show how far the deletion has come. DELETING is as of now, not as of a listing: a cluster
   * that was created moments ago would be older than that.
   */
  async terminate({ dcmId }) {
    await steps.request([{ dcmId, continues: true }]);
    return { state: 'DELETING', at: Math.floor(now() / 1000) };
  },
  /** EKS refuses to delete a cluster that it is still creating, so this takes steps, too. */
  discard: ({ dcmId, resourceId }) =>
    steps.request([{ dcmId, resourceId, continues: true }], secondsUntilShown),
  answerOf: clusterResource,
});

/** By then EKS shows a cluster that it has just created. */
const secondsUntilShown = 30;

const usable: readonly ClusterResource['status'][] = [
  'ACTIVE',
  'DEGRADED',
  'UNAVAILABLE',
  'PROGRESSING',
  'UPDATING',
];

/**
 * Adds the kubeconfig to a cluster that has an endpoint and is not about to end. It needs the certificate of the cluster's API, which only
 * EKS knows: where EKS does not answer in time, the kubeconfig is empty.
 */
const addKubeconfig =
  ({ clusters: described, account, log }: Pick<ClusterPorts, 'clusters' | 'account' | 'log'>) =>
  async (answer: ClusterResource): Promise<ClusterResource> => {
    const { id: dcmId, region, cluster_name: name, status, api_endpoint: apiEndpoint } = answer;
    if (name === undefined || apiEndpoint === '' || !usable.includes(status)) return answer;
    const target = { region, account };
    const resourceId = resourceIdOf(target, name);
    const seen = await described.describe(target, [resourceId], describeTimeoutMs).catch((error: unknown) => {
      log.warn('a cluster is answered without kubeconfig: EKS did not describe it', { dcmId, error });
      return undefined;
    });
    const certificateAuthority = seen?.get(resourceId)?.certificateAuthority;
    if (certificateAuthority === undefined) return answer;
    return { ...answer, kubeconfig: kubeconfigOf({ name, region, apiEndpoint, certificateAuthority }) };
  };

/** Checks a create without creating anything. @throws what a create would be refused with before EKS is asked. */
const validateCluster =
  (plan: Plan): ClusterUseCases['validate'] =>
  async (spec, { region, account, requestId }) => {
    const planned = await plan(spec, {
      ...{ dcmId: 'validation', region, account, requestId, generation: 0 },
    });
    return {
      region,
      version: planned.version,
      ...(planned.workers && { workers: nodesOf(planned.workers) }),
      endpoint: planned.endpoint,
      admin_principals: planned.adminPrincipals,
      chosen_by: planned.chosenBy,
      ignored: spec.hasControlPlane ? ['nodes.control_plane'] : [],
    };
  };
