import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Settings } from '../settings/settings.ts';
import { containersOf, ecsClusterArns } from './containers.ts';
import { type Grantee, inRegions, justify, ownershipTags, passRoles, wildcard } from './permissions.ts';

type Given = Pick<Settings, 'provider' | 'containers' | 'tags'>;

/**
 * Allows a function to run containers with our tags, from our own task definitions and in the configured ECS clusters, and to stop the tasks
 * there. It may pass the configured roles to them, and no others.
 * @see https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
 */
export const grantTasks = (caller: Grantee, settings: Given): void => {
  const { containers, provider } = settings;
  if (containers === undefined) return;
  const { clusters, inClusters, tasks } = resourcesOf(caller, settings);
  const regions = Object.keys(containers.regions);
  const definitions = regions.map((region) =>
    wildcard(caller, { service: 'ecs', region, resource: `task-definition/dcm-${provider.name}-*:*` }),
  );
  const statements = [
    new PolicyStatement({
      actions: ['ecs:RunTask'],
      resources: definitions,
      conditions: { ...inClusters, StringEquals: ownershipTags(settings, 'RequestTag') },
    }),
    new PolicyStatement({ actions: ['ecs:RegisterTaskDefinition'], resources: definitions }),
    new PolicyStatement({
      actions: ['ecs:TagResource'],
      resources: tasks,
      conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
    }),
    new PolicyStatement({ actions: ['ecs:StopTask'], resources: tasks, conditions: inClusters }),
    new PolicyStatement({ actions: ['ecs:DescribeClusters'], resources: clusters }),
    inRegions(regions, 'ecs:DescribeTaskDefinition'),
    passRoles([containers.executionRoleArn, ...containers.taskRoles], ['ecs-tasks.amazonaws.com']),
  ];
  for (const statement of statements) caller.addToRolePolicy(statement);
  grantListing(caller, settings);
  grantDescribeTasks(caller, settings);
  justify(
    caller,
    'Every container has its own task definition; their names begin with the provider’s.',
    definitions,
  );
  justify(caller, 'ECS reads task definitions by no resource-level permissions; the regions are limited.', [
    '*',
  ]);
};

/** Allows a function to list the tasks of the configured ECS clusters. */
const grantListing = (caller: Grantee, settings: Given): void => {
  const { inClusters, containerInstances } = resourcesOf(caller, settings);
  caller.addToRolePolicy(
    new PolicyStatement({
      actions: ['ecs:ListTasks'],
      resources: containerInstances,
      conditions: inClusters,
    }),
  );
  justify(
    caller,
    'IAM knows ListTasks by the container instances of an ECS cluster; Fargate has none with an id of its own.',
    containerInstances,
  );
};

/** Allows a function to list and describe the tasks of the configured ECS clusters. */
export const grantListTasks = (caller: Grantee, settings: Given): void => {
  if (settings.containers === undefined) return;
  grantListing(caller, settings);
  grantDescribing(caller, settings);
};

const grantDescribing = (caller: Grantee, settings: Given): void => {
  const { inClusters, tasks } = resourcesOf(caller, settings);
  caller.addToRolePolicy(
    new PolicyStatement({ actions: ['ecs:DescribeTasks'], resources: tasks, conditions: inClusters }),
  );
  justify(
    caller,
    'The ids of tasks are not known in advance: the condition compares the ECS cluster.',
    tasks,
  );
};

/** Allows a function to describe the tasks of the configured ECS clusters, and, where they have public addresses, to look these up. */
export const grantDescribeTasks = (caller: Grantee, settings: Given): void => {
  const { containers } = settings;
  if (containers === undefined) return;
  grantDescribing(caller, settings);
  if (!containers.publicAddresses) return;
  caller.addToRolePolicy(inRegions(Object.keys(containers.regions), 'ec2:DescribeNetworkInterfaces'));
  justify(caller, 'DescribeNetworkInterfaces has no resource-level permissions; the regions are limited.', [
    '*',
  ]);
};

const resourcesOf = (caller: Grantee, settings: Given) => {
  const clusters = ecsClusterArns(caller, settings);
  const within = (kind: string) =>
    Object.entries(containersOf(settings)?.regions ?? {}).map(([region, { ecsCluster }]) =>
      wildcard(caller, { service: 'ecs', region, resource: `${kind}/${ecsCluster}/*` }),
    );
  return {
    clusters,
    inClusters: { ArnEquals: { 'ecs:cluster': clusters } },
    tasks: within('task'),
    containerInstances: within('container-instance'),
  };
};
