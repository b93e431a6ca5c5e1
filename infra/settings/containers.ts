import * as z from 'zod';
import { count, creationRegions, flag, identifier, operatorsRole, roleArn, text } from './setting-kinds.ts';

const ContainerRegion = z.strictObject({
  subnets: z
    .array(identifier('subnet', 'a subnet id'))
    .min(1, 'must list at least one subnet')
    .max(16, 'must list at most 16 subnets')
    .describe(
      'Ids of subnets of one VPC, at most 16, over which ECS spreads the containers. They need a route to the registries of the images: NAT, VPC endpoints, or an internet gateway with `containers.publicAddresses`.',
    ),
  securityGroupIds: z
    .array(identifier('sg', 'a security group id'))
    .max(5, 'must list at most 5 security groups')
    .default([])
    .describe('Security groups of this region’s containers, at most 5. Empty: the default group of the VPC.'),
  ecsCluster: text(/^[A-Za-z0-9_-]{1,255}$/, 'must be the name of an ECS cluster, not its ARN')
    .optional()
    .describe(
      'Name of an ECS cluster of yours in this region, with the capacity providers FARGATE and FARGATE_SPOT. Default: the stack of the region makes one, named as the provider. Required in a legacy region, which has no stack.',
    ),
  logGroup: text(/^[\w./#-]{1,512}$/, 'must be the name of a CloudWatch log group')
    .optional()
    .describe(
      'Name of a CloudWatch log group of yours in this region, to which the containers write. Default: the stack of the region makes `/dcm/<provider>/containers`. Required in a legacy region.',
    ),
});

/** Which containers may be created, and how. Without it the deployment has nothing of ECS. */
export const Containers = z.strictObject({
  regions: creationRegions(ContainerRegion, 'containers'),
  executionRoleArn: operatorsRole('with which ECS pulls images', 'Containers').describe(
    'ARN of the role with which ECS pulls images and writes logs ([which permissions it needs](deploy.md#containers)).',
  ),
  taskRoles: z
    .array(roleArn)
    .default([])
    .describe(
      'ARNs of roles that the hint `task_role` may name: the permissions of the process in the container. The provider-api may pass these roles to containers, and no others.',
    ),
  maximumContainers: count(0, 100_000)
    .default(100)
    .describe('Maximum number of containers, over all regions.'),
  maximumVcpus: count(1, 16).default(4).describe('Maximum number of vCPUs of one container.'),
  maximumMemoryGib: count(1, 120).default(16).describe('Maximum memory of one container, in GiB.'),
  maximumStorageGib: count(20, 200)
    .default(50)
    .describe('Maximum ephemeral storage of one container, in GiB. Fargate always gives 20.'),
  publicAddresses: flag
    .default(false)
    .describe(
      'Whether containers get a public IPv4 address. Without it a spec with an `external` port is refused.',
    ),
  spot: flag.default(false).describe('Whether the hint `launch` may request Fargate Spot.'),
  changeAdopted: flag
    .default(false)
    .describe(
      'Whether the API may stop tasks that carry the ownership of this provider but were not launched by it. By default they are only reported.',
    ),
});
