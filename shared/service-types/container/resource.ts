import * as z from 'zod/mini';
import { partitionOf } from '../../adapters/aws/regions.ts';
import type { PastStatus } from '../../core/history.ts';
import type { StartingAs } from '../../core/kind.ts';
import { isLaunched } from '../../core/record.ts';
import { describedStatus } from '../../core/resource.ts';
import { targetOfKey } from '../../core/target.ts';
import type { Ownership } from '../../ports/resource-store.ts';
import { eventsOf, pageOf } from '../answers.ts';
import { containerKind, ContainerStatus as Status, taskIdOf } from './kind.ts';
import { Placement } from './launch.ts';
import type { ContainerFacts, ContainerRecord, LaunchedContainerRecord } from './record.ts';
import { containerName } from './task.ts';

const DateTime = z.iso.datetime();

const DescribedStatus = Status.check(
  z.meta({ id: 'ContainerStatus', description: 'DCM’s status of the container.' }),
);

const described = (description: string) => z.string().check(z.describe(description));

const Endpoint = z
  .object({
    address: described('The address to connect to.'),
    port: z.int().check(z.describe('The port to connect to.')),
    scope: z
      .enum(['internal', 'external'])
      .check(z.describe('`internal`: the private address. `external`: the public address.')),
    protocol: described('`TCP`.'),
  })
  .check(z.meta({ id: 'ContainerEndpoint', description: 'Where a port of the container is reached.' }));

const ServicePort = z
  .object({
    port: z.int().check(z.describe('The port of the service.')),
    target_port: z.int().check(z.describe('The port of the container: the same.')),
    protocol: described('`TCP`.'),
  })
  .check(z.meta({ id: 'ContainerServicePort', description: 'A port of the container’s service.' }));

const Service = z
  .object({
    name: described('The id of the container.'),
    type: z
      .enum(['ClusterIP', 'NodePort'])
      .check(z.describe('`NodePort` where a port is external, else `ClusterIP`. No load balancer is made.')),
    cluster_ip: described('The private address; empty until it is known.'),
    external_ip: z.optional(described('The public address, once it is known.')),
    ports: z.array(ServicePort),
  })
  .check(
    z.meta({
      id: 'ContainerService',
      description: 'The internal and external ports, in the form of DCM’s container provider.',
    }),
  );

const Logs = z
  .object({
    group: described('The CloudWatch log group.'),
    stream: described('The log stream in it.'),
  })
  .check(z.meta({ id: 'ContainerLogs', description: 'Where the output of the process is.' }));

const Size = z
  .object({
    vcpus: z.number().check(z.describe('The vCPUs of the task.')),
    memory_mib: z.int().check(z.describe('The memory of the task, in MiB.')),
    chosen_by: described('The rule that chose them.'),
  })
  .check(z.meta({ id: 'ContainerSize', description: 'The size of the Fargate task.' }));

const Launch = Placement.shape.launch.check(
  z.describe('`fargate`, or `fargate_spot`, which AWS can end with a warning of two minutes.'),
);

/** A container as the provider's API answers it. Fields that are not known (yet) are absent. */
export const ContainerResource = z
  .object({
    id: described('DCM’s id of the container.'),
    path: described('`containers/{id}`'),
    status: DescribedStatus,
    status_message: described('The task’s state, with the reason of its end.'),
    region: described('AWS region.'),
    task_arn: z.optional(described('The ARN of the ECS task.')),
    task_definition_arn: z.optional(described('The ARN of its task definition.')),
    adopted: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            'Whether the task was started as this container, and not by this provider. An adopted container is reported, but not stopped unless the setting `containers.changeAdopted` allows it.',
          ),
        ),
    ),
    launch: z.optional(Launch),
    size: z.optional(Size),
    zone: z.optional(described('The Availability Zone.')),
    private_ip_address: z.optional(described('The address in the VPC.')),
    public_ip_address: z.optional(described('The public IPv4 address.')),
    service: z.optional(Service),
    endpoints: z.optional(
      z.array(Endpoint).check(z.describe('As DCM’s spec has them. Only while the container is running.')),
    ),
    logs: z.optional(Logs),
    create_time: DateTime.check(z.describe('When DCM requested the container.')),
    update_time: DateTime.check(z.describe('When the status last changed.')),
  })
  .check(
    z.meta({ id: 'Container', description: 'A container. Fields that are not known (yet) are absent.' }),
  );
export type ContainerResource = z.infer<typeof ContainerResource>;

export const ContainerPage = pageOf(containerKind, ContainerResource);
export const ContainerEvents = eventsOf(containerKind, { service: 'ECS', status: DescribedStatus });

/** What a create with a spec would launch. */
export const ContainerValidation = z
  .object({
    region: described('AWS region.'),
    image: described('The image.'),
    size: Size,
    launch: Launch,
    subnet_ids: z.array(z.string()).check(z.describe('The subnets, of which ECS chooses one.')),
    task_definition: described('The family of the task definition, which is the same for equal specs.'),
  })
  .check(z.meta({ id: 'ContainerValidation', description: 'What a create with this spec would launch.' }));
export type ContainerValidation = z.infer<typeof ContainerValidation>;

export const sizeOf = ({ vcpus, memoryMib, chosenBy }: NonNullable<ContainerFacts['size']>) => ({
  vcpus,
  memory_mib: memoryMib,
  chosen_by: chosenBy,
});

type Described = Pick<PastStatus, 'at' | 'message'> & { readonly status: Status };

/** A container as the API answers it. `startingAs`: the status of one that has not started. */
export const containerResource =
  ({ startingAs }: { readonly startingAs: StartingAs }) =>
  (record: ContainerRecord, held: Ownership, nowMs: number): ContainerResource => {
    const { at, status, message } = withDeletion(record, statusOf(record, held, { startingAs, nowMs }));
    const updatedAtMs = Math.max(record.createdAtMs, at * 1000);
    return {
      id: record.dcmId,
      path: `containers/${record.dcmId}`,
      status,
      status_message: message,
      region: targetOfKey(record.region).region,
      ...serviceField(record, held),
      ...(isLaunched(record) && taskFields(record, held, status)),
      create_time: new Date(record.createdAtMs).toISOString(),
      update_time: new Date(updatedAtMs).toISOString(),
    };
  };

/** A creation without a task counts as failed this long after its last lease ended. */
const interruptedAfterMs = 5 * 60_000;

const statusOf = (
  record: ContainerRecord,
  held: Ownership,
  { startingAs, nowMs }: { readonly startingAs: StartingAs; readonly nowMs: number },
): Described => {
  if (isLaunched(record)) {
    const latest = held.owner === 'ours' ? held.vm.latest : undefined;
    const { at, status, message } = latest ?? startingStatus(record, startingAs);
    return { at, status: Status.parse(status), message };
  }
  const at = Math.floor(record.updatedAtMs / 1000);
  if (nowMs < (record.leaseUntilMs ?? 0) + interruptedAfterMs)
    return { at, status: startingAs, message: 'no task has been launched yet' };
  const message =
    'the creation was interrupted, and no task was found; create the container again, or delete it';
  return { at, status: 'FAILED', message };
};

/** The status that is published of the launch. */
const startingStatus = (
  { resourceId, region: key, account, facts }: LaunchedContainerRecord,
  startingAs: StartingAs,
) =>
  describedStatus(
    containerKind,
    {
      ...{
        kind: 'observation',
        resourceId,
        region: targetOfKey(key).region,
        account,
        state: 'PENDING',
        seenBy: 'api',
      },
      at: Math.floor(facts.launchedAtMs / 1000),
    },
    { startingAs },
  );

const withDeletion = ({ deleteRequestedAtMs }: ContainerRecord, published: Described): Described => {
  if (deleteRequestedAtMs === undefined || ['DELETING', 'DELETED'].includes(published.status))
    return published;
  const at = Math.max(published.at, Math.floor(deleteRequestedAtMs / 1000));
  return { at, status: 'DELETING', message: `${published.message}; DCM has requested the deletion` };
};

const publicAddressOf = (held: Ownership): string | undefined =>
  held.owner === 'ours' ? held.vm.publicAddress || undefined : undefined;

/** The resource store learns the private address when the task gets it, after the launch. */
const privateAddressOf = ({ facts }: Pick<ContainerRecord, 'facts'>, held: Ownership): string | undefined =>
  (held.owner === 'ours' ? held.vm.privateAddress : undefined) ?? facts?.privateAddress;

/** Of a container with internal or external ports, from its first answer on. */
const serviceField = (record: ContainerRecord, held: Ownership): Pick<ContainerResource, 'service'> => {
  const ports = record.facts?.ports ?? record.launch?.ports ?? [];
  if (ports.length === 0) return {};
  const isExternal = ports.some(({ scope }) => scope === 'external');
  const externalIp = isExternal ? publicAddressOf(held) : undefined;
  return {
    service: {
      name: record.dcmId,
      type: isExternal ? 'NodePort' : 'ClusterIP',
      cluster_ip: privateAddressOf(record, held) ?? '',
      ...(externalIp !== undefined && { external_ip: externalIp }),
      ports: ports.map(({ port }) => ({ port, target_port: port, protocol: 'TCP' })),
    },
  };
};

const taskFields = (
  record: LaunchedContainerRecord,
  held: Ownership,
  status: Status,
): Partial<ContainerResource> => {
  const { facts, adopted, resourceId } = record;
  const privateAddress = privateAddressOf(record, held);
  const publicAddress = publicAddressOf(held);
  const outputs = containerKind.outputsOf({ privateAddress, publicAddress, ports: facts.ports }, status);
  const fields = {
    task_arn: taskArnOf(record),
    task_definition_arn: facts.taskDefinitionArn,
    adopted,
    launch: facts.launch,
    size: facts.size && sizeOf(facts.size),
    zone: facts.zone,
    private_ip_address: privateAddress,
    public_ip_address: publicAddress,
    endpoints: outputs && z.array(Endpoint).parse(outputs.endpoints),
    logs: facts.logs && {
      group: facts.logs.group,
      stream: `${facts.logs.streamPrefix}/${containerName}/${taskIdOf(resourceId)}`,
    },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
};

/** ECS's cluster is part of the ARN; it is not known of a task that we did not launch. */
const taskArnOf = ({
  facts,
  region: key,
  account,
  resourceId,
}: LaunchedContainerRecord): string | undefined => {
  const { region } = targetOfKey(key);
  const cluster = facts.ecsCluster?.split('/').at(-1);
  return cluster === undefined
    ? undefined
    : `arn:${partitionOf(region).name}:ecs:${region}:${account}:task/${cluster}/${taskIdOf(resourceId)}`;
};
