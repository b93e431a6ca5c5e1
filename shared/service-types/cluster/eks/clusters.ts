import type {
  ClusterIssue,
  EKSClient,
  EKSClientConfig,
  Cluster as EksCluster,
  Nodegroup,
  Issue as NodegroupIssue,
} from '@aws-sdk/client-eks';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { readsByTarget } from '../../../adapters/aws/calls.ts';
import { codeOf } from '../../../adapters/aws/errors.ts';
import { quickRetries } from '../../../adapters/aws/quick-retries.ts';
import { counted } from '../../../core/errors.ts';
import type { Target } from '../../../core/target.ts';
import { clusterEntry } from '../inventory.ts';
import { clusterNameIn, resourceIdOf } from '../kind.ts';
import { clientTokenKey, workersGroup, workersIn } from '../launch.ts';
import type { Cluster, Clusters } from '../ports.ts';
import { clusterState, type HealthIssue, type NodeGroup, reasonIn, type Snapshot } from '../state.ts';

/**
 * Clusters of one page: EKS describes one cluster a call, and a page has to be complete within the caller's timeout. The next page costs
 * one more call.
 */
const pageSize = 25;

/** Calls at a time; EKS throttles callers that describe many clusters at once. */
const parallelCalls = 5;

type Sdk = typeof import('./sdk.ts');
type Connection = { readonly eks: Sdk; readonly client: EKSClient; readonly abortSignal: AbortSignal };

/** Of each call. A read is complete only with all of its calls: where 60 % are throttled, two attempts each would nearly never do. */
const attempts = 8;

/** A client for reads, whose timeout bounds the attempts of all their calls. */
export const eksReader = (
  { EKSClient: Client }: Sdk,
  connection: Pick<EKSClientConfig, 'region' | 'credentials'>,
): EKSClient =>
  new Client({ ...connection, maxAttempts: attempts, retryStrategy: quickRetries({ attempts }) });

/**
 * EKS by its SDK client. EKS lists names only, and lists and describes the node groups of each cluster in calls of their own: 1 + 2 × clusters
 * + node groups for a listing. The node groups of clusters that lack the tag of a listing are not read.
 * @see https://docs.aws.amazon.com/eks/latest/APIReference/API_DescribeCluster.html
 */
export const eksClusters = (accounts?: AwsAccounts): Clusters => {
  const ask = readsByTarget({
    name: 'EKS',
    load: () => import('./sdk.ts'),
    connect: eksReader,
    accounts,
  });

  return {
    describe: (target, resourceIds, timeoutMs) =>
      ask(
        { target, timeoutMs, what: `describe ${counted(resourceIds.length, 'cluster')}` },
        async (eks, client, abortSignal) => {
          const names = resourceIds.flatMap((id) => clusterNameIn(target, id) ?? []);
          const found = await describeClusters({ eks, client, abortSignal }, names);
          const clusters = await withNodeGroups({ eks, client, abortSignal }, target, found);
          return new Map(clusters.map((one) => [one.resourceId, one]));
        },
      ),

    list: ({ target, tag, token, timeoutMs, withEntries = false }) =>
      ask({ target, timeoutMs, what: 'list a page of clusters' }, async (eks, client, abortSignal) => {
        const command = new eks.ListClustersCommand({ maxResults: pageSize, nextToken: token });
        const { clusters = [], nextToken } = await client.send(command, { abortSignal });
        const found = await describeClusters({ eks, client, abortSignal }, clusters);
        const wanted = found.filter(({ tags = {} }) => tags[tag.key] === tag.value);
        return {
          resources: await withNodeGroups({ eks, client, abortSignal }, target, wanted),
          nextToken: nextToken || undefined,
          ...(withEntries && { entries: found.flatMap((one) => clusterEntry(one) ?? []) }),
        };
      }),
  };
};

export const inParallel = async <Thing, Answer>(
  things: readonly Thing[],
  ask: (thing: Thing) => Promise<Answer>,
): Promise<Answer[]> => {
  const answers: Answer[] = [];
  for (let start = 0; start < things.length; start += parallelCalls)
    answers.push(...(await Promise.all(things.slice(start, start + parallelCalls).map(ask))));
  return answers;
};

export const undefinedIfUnknown = (error: unknown): undefined => {
  if (codeOf(error) === 'ResourceNotFoundException') return undefined;
  throw error;
};

/** The clusters that EKS knows. */
const describeClusters = async (
  { eks, client, abortSignal }: Connection,
  names: readonly string[],
): Promise<readonly EksCluster[]> => {
  const found = await inParallel(names, async (name) => {
    const command = new eks.DescribeClusterCommand({ name });
    return (await client.send(command, { abortSignal }).catch(undefinedIfUnknown))?.cluster;
  });
  return found.flatMap((one) => one ?? []);
};

const withNodeGroups = async (
  connection: Connection,
  target: Target,
  clusters: readonly EksCluster[],
): Promise<readonly Cluster[]> => {
  const found = await inParallel(clusters, async (cluster) => {
    const { name, status } = cluster;
    if (name === undefined || status === undefined) return [];
    return [described(target, name, { ...cluster, nodeGroups: await nodeGroupsOf(connection, name) })];
  });
  return found.flat();
};

const nodeGroupsOf = async ({ eks, client, abortSignal }: Connection, name: string): Promise<NodeGroup[]> => {
  const names: string[] = [];
  try {
    const pages = eks.paginateListNodegroups({ client }, { clusterName: name }, { abortSignal });
    for await (const { nodegroups = [] } of pages) names.push(...nodegroups);
  } catch (error) {
    undefinedIfUnknown(error); // the cluster was deleted since it was described
  }
  const groups = await inParallel(names, async (nodegroupName) => {
    const command = new eks.DescribeNodegroupCommand({ clusterName: name, nodegroupName });
    return (await client.send(command, { abortSignal }).catch(undefinedIfUnknown))?.nodegroup;
  });
  return groups.flatMap((group) => (group === undefined ? [] : nodeGroupIn(group)));
};

const nodeGroupIn = ({ nodegroupName: name, status, health }: Nodegroup): NodeGroup[] =>
  name === undefined || status === undefined ? [] : [{ name, status, issues: issuesIn(health?.issues) }];

const issuesIn = (issues: readonly (ClusterIssue | NodegroupIssue)[] = []): HealthIssue[] =>
  issues.map(({ code = 'Other', message = 'without a message', resourceIds = [] }) => ({
    ...{ code, message, resourceIds },
  }));

const described = (
  target: Target,
  name: string,
  { nodeGroups, tags = {}, ...cluster }: EksCluster & Pick<Snapshot, 'nodeGroups'>,
): Cluster => {
  const status: string = cluster.status ?? '';
  const workers = workersIn(tags);
  const seen: Snapshot = {
    ...{ status, nodeGroups },
    hasEndpoint: Boolean(cluster.endpoint),
    issues: issuesIn(cluster.health?.issues),
    wanted: workers && workersGroup,
  };
  const message = reasonIn(seen);
  return {
    resourceId: resourceIdOf(target, name),
    account: accountIn(cluster.arn),
    state: clusterState(seen),
    tags,
    clientToken: tags[clientTokenKey],
    reason: message === undefined ? undefined : { message },
    launchedAtMs: cluster.createdAt?.getTime() ?? 0,
    apiEndpoint: cluster.endpoint || undefined,
    ...{ name, status, nodeGroups, workers },
    version: cluster.version,
    subnetIds: cluster.resourcesVpcConfig?.subnetIds ?? [],
    certificateAuthority: cluster.certificateAuthority?.data || undefined,
  };
};

/** The account in an ARN such as `arn:aws:eks:us-east-1:123456789012:cluster/c-1`. */
export const accountIn = (arn = ''): string => arn.split(':')[4] ?? '';
