import * as z from 'zod/mini';

const nonEmpty = z.string().check(z.minLength(1));

/** Where the containers of one region run. */
export const ContainerRegion = z.object({
  /** Name or ARN of the ECS cluster; it has the capacity providers FARGATE and FARGATE_SPOT. */
  ecsCluster: nonEmpty,
  /** Ids of subnets of one VPC, which have a route to the registries of the images. ECS spreads tasks over them. */
  subnets: z.array(nonEmpty).check(z.minLength(1), z.maxLength(16)),
  /** Ids of security groups of that VPC. Empty: the VPC's default security group. */
  securityGroupIds: z._default(z.array(nonEmpty).check(z.maxLength(5)), []),
  /** Name of the log group in the region that the containers write to. */
  logGroup: nonEmpty,
});
export type ContainerRegion = z.infer<typeof ContainerRegion>;

/** The operator's settings of which containers may be created, and how. */
export const ContainerProvisioning = z.object({
  /** By region; containers are created in no other. */
  regions: z.record(nonEmpty, ContainerRegion),
  /** ARN of the role with which ECS pulls images and writes logs. */
  executionRoleArn: nonEmpty,
  /** ARNs of roles that the hint `task_role` may name: the permissions of the process in the container. */
  taskRoles: z._default(z.array(nonEmpty), []),
  /** Of all regions together. */
  maximumContainers: z._default(z.int().check(z.nonnegative()), 100),
  /** Of one container. Fargate has at most 16 vCPUs and 120 GiB. */
  maximumVcpus: z._default(z.int().check(z.positive()), 4),
  maximumMemoryGib: z._default(z.int().check(z.positive()), 16),
  /** Ephemeral storage of one container, in GiB. Fargate has at least 20, at most 200. */
  maximumStorageGib: z._default(z.int().check(z.minimum(20)), 50),
  /** Whether containers get a public IPv4 address. */
  publicAddresses: z._default(z.boolean(), false),
  /** Whether the hint `launch` may ask for Fargate Spot. */
  spot: z._default(z.boolean(), false),
  /** Whether tasks that have our `startedBy` and `group`, but that we did not launch, may be stopped. */
  changeAdopted: z._default(z.boolean(), false),
});
export type ContainerProvisioning = z.infer<typeof ContainerProvisioning>;
