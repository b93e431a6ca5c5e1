import { FailedPreconditionError } from '../../shared/core/errors.ts';
import { targetKey } from '../../shared/core/target.ts';
import { clusterNameIn, resourceIdOf } from '../../shared/service-types/cluster/kind.ts';
import {
  clientTokenKey,
  launchTags,
  workersGroup,
  workersIn,
} from '../../shared/service-types/cluster/launch.ts';
import type { Cluster, ClusterActions, Clusters } from '../../shared/service-types/cluster/ports.ts';
import { clusterState, type NodeGroup, reasonIn } from '../../shared/service-types/cluster/state.ts';

const homeAccount = '123456789012';

type Held = {
  status: string;
  hasEndpoint: boolean;
  readonly tags: Readonly<Record<string, string>>;
  readonly subnetIds: readonly string[];
  readonly createdAtMs: number;
  readonly groups: Map<string, NodeGroup>;
  readonly administrators: Set<string>;
};

/** EKS in one region, of the home account where no other is given: what is under way ends where a test lets it progress. */
export const memoryEks = (now: () => number, region = 'us-east-1', other?: string) => {
  const account = other ?? homeAccount;
  const itself = targetKey({ region, account: other });
  const clusters = new Map<string, Held>();
  /** The calls that changed something, such as `delete c-1`. */
  const calls: string[] = [];
  /** Errors that refuse the next calls that change something, one each. */
  const refusals: Error[] = [];
  /** The node roles of the node groups that were created. */
  const nodeRoles: string[] = [];

  const described = (name: string, held: Held): Cluster => {
    const { status, tags, hasEndpoint, groups } = held;
    const workers = workersIn(tags);
    const nodeGroups = [...groups.values()];
    const seen = { status, hasEndpoint, nodeGroups, issues: [], wanted: workers && workersGroup };
    const message = reasonIn(seen);
    return {
      ...{ name, account, status, tags, workers, nodeGroups, subnetIds: held.subnetIds },
      resourceId: resourceIdOf({ region, account: other }, name),
      state: clusterState(seen),
      clientToken: tags[clientTokenKey],
      reason: message === undefined ? undefined : { message },
      launchedAtMs: held.createdAtMs,
      apiEndpoint: hasEndpoint ? `https://${name}.eks` : undefined,
      certificateAuthority: hasEndpoint ? 'Y2E=' : undefined,
      version: '1.33',
    };
  };

  const act = (call: string, key: string): void => {
    if (key !== itself) throw new Error(`${call} was asked of EKS in ${key}`);
    calls.push(call);
    const refusal = refusals.shift();
    if (refusal) throw refusal;
  };
  const found = (name: string): Held => {
    const held = clusters.get(name);
    if (!held) throw new FailedPreconditionError(`there is no cluster ${name}`);
    return held;
  };

  const actions: ClusterActions = {
    async create(plan, token) {
      act(`create ${plan.name}`, plan.region);
      if (clusters.has(plan.name)) return 'taken';
      const createdAtMs = now();
      clusters.set(plan.name, {
        ...{ status: 'CREATING', hasEndpoint: false, tags: launchTags(plan, token), createdAtMs },
        ...{ subnetIds: plan.subnetIds, groups: new Map(), administrators: new Set() },
      });
      return { account, createdAtMs };
    },
    async createNodeGroup(target, clusterName, { name, nodeRoleArn }) {
      act(`create ${name} of ${clusterName}`, targetKey(target));
      const { status, groups } = found(clusterName);
      if (status !== 'ACTIVE' || groups.has(name)) throw new FailedPreconditionError('not now');
      groups.set(name, { name, status: 'CREATING', issues: [] });
      nodeRoles.push(nodeRoleArn);
    },
    async deleteNodeGroup(target, clusterName, name) {
      act(`delete ${name} of ${clusterName}`, targetKey(target));
      const groups = clusters.get(clusterName)?.groups;
      if (groups?.has(name)) groups.set(name, { name, status: 'DELETING', issues: [] });
    },
    async delete(target, name) {
      act(`delete ${name}`, targetKey(target));
      const held = clusters.get(name);
      if (!held) return;
      if (held.status === 'CREATING' || held.groups.size > 0) throw new FailedPreconditionError('in use');
      held.status = 'DELETING';
    },
    administrators: async (_, name) => [...found(name).administrators],
    async addAdministrator(target, name, principalArn) {
      act(`add ${principalArn} to ${name}`, targetKey(target));
      found(name).administrators.add(principalArn);
    },
  };

  const views: Clusters = {
    describe: async (target, ids) =>
      new Map(
        ids.flatMap((id) => {
          const name = clusterNameIn(target, id);
          const held = name === undefined ? undefined : clusters.get(name);
          return name === undefined || !held ? [] : [[id, described(name, held)] as const];
        }),
      ),
    list: async ({ tag }) => ({
      resources: [...clusters]
        .filter(([, { tags }]) => tags[tag.key] === tag.value)
        .map(([name, held]) => described(name, held)),
      nextToken: undefined,
    }),
  };

  const progressGroups = ({ groups }: Held): void => {
    for (const [name, { status }] of groups) {
      if (status === 'DELETING') groups.delete(name);
      if (status === 'CREATING') groups.set(name, { name, status: 'ACTIVE', issues: [] });
    }
  };

  /** Ends what is under way. */
  const progress = (): void => {
    for (const [name, held] of clusters) {
      if (held.status === 'DELETING') clusters.delete(name);
      if (held.status === 'CREATING') Object.assign(held, { status: 'ACTIVE', hasEndpoint: true });
      progressGroups(held);
    }
  };

  return { actions, clusters, views, calls, refusals, nodeRoles, progress };
};
