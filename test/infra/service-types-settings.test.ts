import { describe, expect, it } from 'vitest';
import { parseSettings } from '../../infra/settings/load-settings.ts';
import { refusalOf } from './refused.ts';
import { agentSettings, allTypes, clusters, containers, leastSettings } from './synthesized.ts';

const inIreland = <Region extends object>(
  section: { readonly regions: Record<string, Region> },
  more: object,
) => ({
  ...section,
  regions: { 'eu-west-1': { ...section.regions['eu-west-1'], ...more } },
});
const withContainers = (more: object) => ({ ...allTypes, containers: { ...containers, ...more } });
const withClusters = (more: object) => ({ ...allTypes, clusters: { ...clusters, ...more } });
const { provisioning: _, ...withoutVms } = allTypes;

describe('settings to create containers and clusters', () => {
  it('require only where they run and the roles', () => {
    const settings = parseSettings(allTypes);

    expect(settings.containers).toEqual({
      ...containers,
      taskRoles: [],
      maximumContainers: 100,
      maximumVcpus: 4,
      maximumMemoryGib: 16,
      maximumStorageGib: 50,
      publicAddresses: false,
      spot: false,
      changeAdopted: false,
      regions: { 'eu-west-1': { subnets: ['subnet-0123456789abcdef0'], securityGroupIds: [] } },
    });
    expect(settings.clusters).toEqual({
      ...clusters,
      adminPrincipals: [],
      endpoint: 'public',
      maximumClusters: 5,
      maximumWorkers: 10,
      families: ['t3', 'm7i', 'c7i', 'r7i'],
      maximumVcpus: 16,
      maximumMemoryGib: 64,
      maximumDiskGib: 1024,
      extendedSupport: false,
      vocabulary: 'current',
      changeAdopted: false,
      regions: { 'eu-west-1': { ...clusters.regions['eu-west-1'], securityGroupIds: [] } },
    });
  });

  it.each([
    ['without VMs', withoutVms],
    ['of one type only', { ...withoutVms, clusters: undefined }],
    [
      'in a streaming region only',
      {
        ...withContainers({ regions: { 'us-east-1': containers.regions['eu-west-1'] } }),
        streamingRegions: ['us-east-1'],
      },
    ],
    [
      'in a legacy region, in an ECS cluster and log group of yours',
      {
        ...withContainers({
          regions: {
            'me-south-1': { ...containers.regions['eu-west-1'], ecsCluster: 'apps', logGroup: '/apps' },
          },
        }),
        legacyRegions: ['me-south-1'],
      },
    ],
  ])('may be %s', (_, settings) => {
    expect(() => parseSettings(settings)).not.toThrow();
  });

  it.each<[string, unknown, string]>([
    [
      'containers in no region',
      withContainers({ regions: {} }),
      '"containers.regions" must have at least one region',
    ],
    [
      'clusters in no region',
      withClusters({ regions: {} }),
      '"clusters.regions" must have at least one region',
    ],
    [
      'containers in a region that is not reported',
      withContainers({ regions: { 'us-east-1': containers.regions['eu-west-1'] } }),
      '"containers.regions.us-east-1" must be the home region, or be listed in streamingRegions or legacyRegions',
    ],
    [
      'clusters in a region that is not reported',
      withClusters({ regions: { 'us-east-1': clusters.regions['eu-west-1'] } }),
      '"clusters.regions.us-east-1" must be the home region, or be listed in streamingRegions or legacyRegions',
    ],
    [
      'containers without a subnet',
      withContainers(inIreland(containers, { subnets: [] })),
      '"containers.regions.eu-west-1.subnets" must list at least one subnet',
    ],
    [
      'containers without the role that pulls their images',
      withContainers({ executionRoleArn: undefined }),
      '"containers.executionRoleArn" is missing: it must be the ARN of the IAM role with which ECS pulls images, which you create before the deployment (docs/deploy.md, Containers)',
    ],
    [
      'a wildcard for the role of a process',
      withContainers({ taskRoles: ['arn:aws:iam::123456789012:role/*'] }),
      '"containers.taskRoles[0]" must be the ARN of an IAM role',
    ],
    [
      'an ECS cluster by its ARN',
      withContainers(
        inIreland(containers, { ecsCluster: 'arn:aws:ecs:eu-west-1:123456789012:cluster/apps' }),
      ),
      '"containers.regions.eu-west-1.ecsCluster" must be the name of an ECS cluster, not its ARN',
    ],
    [
      'more vCPUs than Fargate has',
      withContainers({ maximumVcpus: 17 }),
      '"containers.maximumVcpus" must be at most 16',
    ],
    [
      'a legacy region without an ECS cluster, because nothing could make one there',
      {
        ...withContainers({ regions: { 'me-south-1': containers.regions['eu-west-1'] } }),
        legacyRegions: ['me-south-1'],
      },
      '"containers.regions.me-south-1.ecsCluster" must be set: me-south-1 is a legacy region, which has no stack that could make it',
    ],
    [
      'clusters in one zone',
      withClusters(inIreland(clusters, { subnets: clusters.regions['eu-west-1'].subnets.slice(0, 1) })),
      '"clusters.regions.eu-west-1.subnets" must be in at least two zones: EKS accepts no cluster in one',
    ],
    [
      'clusters in two subnets of one zone',
      withClusters(
        inIreland(clusters, {
          subnets: ['subnet-0123456789abcdef0', 'subnet-0123456789abcdef1'].map((id) => ({
            id,
            zone: 'eu-west-1a',
          })),
        }),
      ),
      '"clusters.regions.eu-west-1.subnets" must be in at least two zones: EKS accepts no cluster in one',
    ],
    [
      'clusters in a zone of another region',
      withClusters(
        inIreland(clusters, {
          subnets: ['eu-west-1a', 'us-east-1a'].map((zone) => ({ id: 'subnet-0123456789abcdef0', zone })),
        }),
      ),
      '"clusters.regions.eu-west-1.subnets" must be in zones of eu-west-1',
    ],
    [
      'clusters without the role of their nodes',
      withClusters({ nodeRoleArn: undefined }),
      '"clusters.nodeRoleArn" is missing: it must be the ARN of the IAM role of the nodes, which you create before the deployment (docs/deploy.md, Clusters)',
    ],
    [
      'clusters without the role of their control planes',
      withClusters({ clusterRoleArn: undefined }),
      '"clusters.clusterRoleArn" is missing: it must be the ARN of the IAM role of the control planes, which you create before the deployment (docs/deploy.md, Clusters)',
    ],
    [
      'clusters with an empty role',
      withClusters({ clusterRoleArn: '' }),
      '"clusters.clusterRoleArn" must be the ARN of the IAM role of the control planes, which you create before the deployment (docs/deploy.md, Clusters)',
    ],
    [
      'clusters with a role of another partition',
      withClusters({ clusterRoleArn: 'arn:aws-cn:iam::123456789012:role/control-plane' }),
      '"clusters.clusterRoleArn" must be in the AWS partition aws, like eu-west-1',
    ],
    [
      'clusters with roles of two accounts',
      withClusters({ nodeRoleArn: 'arn:aws:iam::210987654321:role/nodes' }),
      '"clusters.nodeRoleArn" must be in the account 123456789012, like clusters.clusterRoleArn: no role can be passed to another account',
    ],
    [
      'a full version for a minor one',
      withClusters({ defaultVersion: '1.33.2' }),
      '"clusters.defaultVersion" must be a minor version of Kubernetes, such as 1.33',
    ],
    [
      'an authentication mode of clusters: it is always API, which lets others than the creator in',
      withClusters({ authenticationMode: 'CONFIG_MAP' }),
      '"clusters.authenticationMode" is unknown; docs/configuration.md lists those that exist',
    ],
    [
      'a provider name that makes the name of the function of clusters too long',
      { ...allTypes, provider: { name: 'a'.repeat(51) } },
      '"provider.name" must have at most 50 characters with clusters: function names begin with it',
    ],
    [
      'a provider name with a character that startedBy of ECS refuses',
      { ...allTypes, provider: { name: 'ec2.sp' } },
      '"provider.name" must be lower-case letters, digits and inner hyphens',
    ],
    [
      'containers without an API',
      { ...leastSettings, containers },
      '"api" must be set with containers: it says who may create containers, such as { "tokenSecret": "dcm/ec2-sp-api" }',
    ],
    [
      'one environment agent for the regions of two types',
      {
        ...agentSettings,
        containers: { ...containers, regions: { 'us-east-1': containers.regions['eu-west-1'] } },
        streamingRegions: ['us-east-1'],
      },
      '"agent" must be replaced by agents, an object with an agent for each of eu-west-1, us-east-1: an environment agent accepts one provider of each service type',
    ],
    [
      'a region of containers without an agent',
      {
        ...agentSettings,
        containers: { ...containers, regions: { 'us-east-1': containers.regions['eu-west-1'] } },
        streamingRegions: ['us-east-1'],
        agent: undefined,
        agents: { 'eu-west-1': agentSettings.agent },
      },
      '"agents" must have us-east-1, like every region of provisioning.regions and containers.regions',
    ],
  ])('refuse %s in one sentence', (_, settings, sentence) => {
    expect(refusalOf(() => parseSettings(settings))).toBe(`Setting ${sentence}.`);
  });
});
