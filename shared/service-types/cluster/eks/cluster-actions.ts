import type { CreateClusterCommandInput, EKSClient } from '@aws-sdk/client-eks';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { cached } from '../../../adapters/aws/cached.ts';
import { callsByTarget } from '../../../adapters/aws/calls.ts';
import { codeOf } from '../../../adapters/aws/errors.ts';
import { partitionOf } from '../../../adapters/aws/regions.ts';
import { ProviderError, UnprocessableError, UpstreamError } from '../../../core/errors.ts';
import { targetOfKey } from '../../../core/target.ts';
import type { Clock } from '../../../ports/clock.ts';
import { type ClusterPlan, launchTags } from '../launch.ts';
import type { ClusterActions, ClusterVersion, ClusterVersions } from '../ports.ts';
import { accountIn } from './clusters.ts';

/** Calls of EKS by its SDK client. */
export const eksCalls = (accounts?: AwsAccounts) =>
  callsByTarget({
    name: 'EKS',
    load: () => import('./sdk.ts'),
    connect: ({ EKSClient: Client }, connection): EKSClient => new Client(connection),
    ...{ timeoutMs: 5_000, accounts },
  });

/** ClusterActions by the EKS client of AWS's SDK. */
export const eksClusterActions = (call = eksCalls()): ClusterActions => ({
  create: (plan, clientToken) =>
    call(targetOfKey(plan.region), `create cluster ${plan.name}`, async (eks, client, options) => {
      const command = new eks.CreateClusterCommand(createRequest(plan, clientToken));
      const answer = await client.send(command, options).catch(taken);
      if (answer === 'taken') return answer;
      const account = accountIn(answer.cluster?.arn);
      if (account === '')
        throw new UpstreamError(`EKS created cluster ${plan.name}, but did not answer its ARN`);
      return { account, createdAtMs: answer.cluster?.createdAt?.getTime() ?? 0 };
    }).catch(unacceptedRole(plan)),

  createNodeGroup: (target, clusterName, { name, workers, nodeRoleArn, subnetIds, tags, clientToken }) =>
    call(target, `create node group ${name} of cluster ${clusterName}`, async (eks, client, options) => {
      const { count, instanceType, diskGib } = workers;
      const command = new eks.CreateNodegroupCommand({
        clusterName,
        nodegroupName: name,
        scalingConfig: { minSize: count, maxSize: count, desiredSize: count },
        instanceTypes: [instanceType],
        diskSize: diskGib,
        nodeRole: nodeRoleArn,
        subnets: [...subnetIds],
        tags,
        clientRequestToken: clientToken,
      });
      await client.send(command, options);
    }).catch(unacceptedRole({ nodeRoleArn })),

  deleteNodeGroup: (target, clusterName, nodegroupName) =>
    call(
      target,
      `delete node group ${nodegroupName} of cluster ${clusterName}`,
      async (eks, client, options) => {
        const command = new eks.DeleteNodegroupCommand({ clusterName, nodegroupName });
        await client.send(command, options).catch(gone);
      },
    ),

  delete: (target, name) =>
    call(target, `delete cluster ${name}`, async (eks, client, options) => {
      await client.send(new eks.DeleteClusterCommand({ name }), options).catch(gone);
    }),

  administrators: (target, clusterName) =>
    call(target, `list the administrators of cluster ${clusterName}`, async (eks, client, options) => {
      const asked = { clusterName, associatedPolicyArn: adminPolicyIn(target.region) };
      const found: string[] = [];
      for await (const { accessEntries = [] } of eks.paginateListAccessEntries({ client }, asked, options))
        found.push(...accessEntries);
      return found;
    }),

  addAdministrator: (target, clusterName, principalArn) =>
    call(
      target,
      `make ${principalArn} an administrator of cluster ${clusterName}`,
      async (eks, client, options) => {
        const about = { clusterName, principalArn };
        await client.send(new eks.CreateAccessEntryCommand(about), options).catch(taken);
        const policy = { policyArn: adminPolicyIn(target.region), accessScope: { type: 'cluster' } } as const;
        await client.send(new eks.AssociateAccessPolicyCommand({ ...about, ...policy }), options);
      },
    ),
});

/** The service that has to be allowed to assume the role of each setting. */
const assumedBy = { clusterRoleArn: 'eks.amazonaws.com', nodeRoleArn: 'ec2.amazonaws.com' } as const;

/**
 * For `catch`: only EKS knows whether a role exists, and may be assumed. It refuses with an error about the parameters of the request, but
 * what is wrong is a setting.
 */
const unacceptedRole =
  (roles: { readonly clusterRoleArn?: string; readonly nodeRoleArn: string }) =>
  (error: unknown): never => {
    const said = error instanceof ProviderError && error.cause instanceof Error ? error.cause.message : '';
    const setting = (['clusterRoleArn', 'nodeRoleArn'] as const).find((one) => isAbout(said, roles[one]));
    if (setting === undefined || !(error instanceof ProviderError) || error.retryable) throw error;
    throw new UnprocessableError(
      `${error.message}; the setting clusters.${setting} must name a role that exists and that ${assumedBy[setting]} may assume (docs/deploy.md, Clusters)`,
      { cause: error },
    );
  };

/** Whether a message of AWS names the role, by its ARN or after the word "role" by its name. */
const isAbout = (said: string, roleArn = ''): boolean => {
  const [, afterRole = ''] = /\brole\b(.*)/is.exec(said) ?? [];
  const name = roleArn.slice(roleArn.lastIndexOf('/') + 1);
  return name !== '' && afterRole.split(/[^\w+=,.@-]+/).some((word) => word.replace(/[.,]+$/, '') === name);
};

/** EKS has something with this name already. */
const taken = (error: unknown): 'taken' => {
  if (codeOf(error) === 'ResourceInUseException') return 'taken';
  throw error;
};

const gone = (error: unknown): void => {
  if (codeOf(error) !== 'ResourceNotFoundException') throw error;
};

/** @see https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html */
const adminPolicyIn = (region: string): string =>
  `arn:${partitionOf(region).name}:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy`;

/**
 * The input of CreateCluster. EKS accepts Auto Mode only where computing, storage and load balancing are all on or all off, and makes the
 * add-ons of node groups (network, DNS, proxy) part of it. No IAM principal becomes an administrator by creating the cluster.
 * @see https://docs.aws.amazon.com/eks/latest/userguide/automode-get-started-cli.html
 */
const createRequest = (plan: ClusterPlan, clientToken: string): CreateClusterCommandInput => {
  const enabled = plan.workers === undefined;
  return {
    name: plan.name,
    version: plan.version,
    roleArn: plan.clusterRoleArn,
    clientRequestToken: clientToken,
    resourcesVpcConfig: {
      subnetIds: plan.subnetIds,
      ...(plan.securityGroupIds.length > 0 && { securityGroupIds: plan.securityGroupIds }),
      endpointPublicAccess: plan.endpoint === 'public',
      endpointPrivateAccess: true,
    },
    accessConfig: { authenticationMode: 'API', bootstrapClusterCreatorAdminPermissions: false },
    upgradePolicy: { supportType: plan.extendedSupport ? 'EXTENDED' : 'STANDARD' },
    computeConfig: {
      enabled,
      ...(enabled && { nodePools: ['general-purpose', 'system'], nodeRoleArn: plan.nodeRoleArn }),
    },
    storageConfig: { blockStorage: { enabled } },
    kubernetesNetworkConfig: { elasticLoadBalancing: { enabled } },
    bootstrapSelfManagedAddons: !enabled,
    tags: launchTags(plan, clientToken),
  };
};

/** The versions that EKS offers, by its SDK client. */
export const eksClusterVersions =
  (call = eksCalls()): ClusterVersions =>
  (target) =>
    call(target, 'describe the versions of clusters', async (eks, client, options) => {
      const found: ClusterVersion[] = [];
      const pages = eks.paginateDescribeClusterVersions({ client }, { includeAll: true }, options);
      for await (const { clusterVersions = [] } of pages)
        found.push(
          ...clusterVersions.flatMap(({ clusterVersion: version, versionStatus, status, defaultVersion }) =>
            version === undefined
              ? []
              : [
                  {
                    version,
                    support: supportIn(versionStatus ?? status),
                    isDefault: defaultVersion === true,
                  },
                ],
          ),
        );
      return found;
    });

/** Caches the versions of each region for ten minutes, so that most creates do not ask for them. */
export const cachedClusterVersions = (versions: ClusterVersions, clock: Clock): ClusterVersions => {
  const asked = cached(versions, clock);
  return async (target) => (await asked(target)) ?? [];
};

/** EKS has two fields for it, in two spellings. */
const supportIn = (word = ''): ClusterVersion['support'] => {
  const status = word.toUpperCase().replaceAll('-', '_');
  if (status === 'STANDARD_SUPPORT') return 'standard';
  return status === 'EXTENDED_SUPPORT' ? 'extended' : 'ended';
};
