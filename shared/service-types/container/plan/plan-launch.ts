import { UnprocessableError } from '../../../core/errors.ts';
import { labelsField, type TagKeys } from '../../../core/ownership.ts';
import { type Target, targetKey } from '../../../core/target.ts';
import { attemptsPerGeneration } from '../../client-token.ts';
import { resourceTags } from '../../resource-tags.ts';
import type { LaunchPlan, Placement } from '../launch.ts';
import type { TaskActions } from '../ports.ts';
import type { ContainerProvisioning, ContainerRegion } from '../provisioning.ts';
import type { ContainerSpec } from '../spec.ts';
import { fargateSize, type TaskSize } from './size.ts';
import { type TaskDefinition, taskDefinitionOf } from './task-definition.ts';

export type PlanningParts = {
  readonly actions: Pick<TaskActions, 'define'>;
  readonly provisioning: ContainerProvisioning;
  /** The number of containers that are not deleted, over all regions. */
  readonly livingContainers: () => Promise<number>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

type Request = Target & { readonly dcmId: string; readonly requestId: string };

/** A plan without the ARN of the task definition, which is not registered yet. */
export type Draft = {
  readonly definition: TaskDefinition;
  readonly plan: Omit<LaunchPlan, 'taskDefinitionArn'>;
};

/**
 * Plans a launch before ECS is asked for it. Every field of the spec is in the plan or in the task definition, or the spec is refused.
 * @throws UnprocessableError for what the operator's limits forbid or Fargate does not have; InvalidArgumentError for too many labels; what
 * TaskActions.define throws.
 */
export const planLaunch = (parts: PlanningParts) => {
  const draft = draftLaunch(parts);
  return async (spec: ContainerSpec, request: Request): Promise<LaunchPlan> => {
    const { definition, plan } = await draft(spec, request);
    const taskDefinitionArn = await parts.actions.define(
      { region: request.region, account: request.account },
      definition,
    );
    return { ...plan, taskDefinitionArn };
  };
};

/** A plan before its task definition is registered: what a validation needs. Throws as `planLaunch`. */
export const draftLaunch =
  ({ provisioning, livingContainers, provider, tagKeys }: Omit<PlanningParts, 'actions'>) =>
  async (spec: ContainerSpec, { dcmId, region, account, requestId }: Request): Promise<Draft> => {
    const place = placeOf(provisioning, region);
    checkImage(spec);
    const size = fargateSize(spec);
    checkLimits(spec, size, provisioning);
    const tags = resourceTags(spec, {
      ...{ serviceType: 'container', service: 'ECS', dcmId, provider, requestId, keys: tagKeys },
    });
    const definition = taskDefinitionOf(spec, { provider, region, place, provisioning, size });
    checkDefinition(definition);
    await checkCount(provisioning, livingContainers);
    const { group, streamPrefix } = definition.logs;
    return {
      definition,
      plan: {
        ...{ region: targetKey({ region, account }), dcmId, tags, ...labelsField(spec.labels) },
        ecsCluster: place.ecsCluster,
        placements: placementsOf(spec.hints.launch ?? 'fargate', place.subnets),
        securityGroupIds: place.securityGroupIds,
        publicAddress: provisioning.publicAddresses,
        ports: spec.ports.flatMap(({ port, visibility: scope }) =>
          scope === 'none' ? [] : [{ port, scope }],
        ),
        size: {
          vcpus: size.cpuUnits / 1024,
          memoryMib: size.memoryMib,
          chosenBy: `smallest of Fargate with ${spec.cpu.max / 1000} vCPU and ${spec.memoryMib.max} MiB`,
        },
        logs: { group, streamPrefix },
      },
    };
  };

const placeOf = ({ regions }: ContainerProvisioning, region: string): ContainerRegion => {
  const place = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (place !== undefined) return place;
  throw new UnprocessableError(
    `region: this provider does not create containers in ${region}, only in ${Object.keys(regions).join(', ') || 'none'}`,
  );
};

/**
 * The repository of an image, without its registry, tag and digest. What comes before the first slash is a registry if it looks like a host.
 * @see https://github.com/distribution/reference/blob/main/normalize.go
 */
const repositoryOf = (image: string): string => {
  const [tagged = ''] = image.split('@');
  const name = tagged.replace(/:[^/]*$/, '');
  const [first = '', ...rest] = name.split('/');
  const hasRegistry = rest.length > 0 && (first === 'localhost' || /[.:]/.test(first));
  return hasRegistry ? rest.join('/') : name;
};

const label = '[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?';
const registry = `${label}(?:\\.${label})*(?::[0-9]+)?`;
const component = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';
const tag = '\\w[\\w.-]{0,127}';
const algorithm = '(?!sha(?:256|512):)[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*';
const digest = `(?:sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}|${algorithm}:[A-Fa-f0-9]{32,})`;
/** 64 hexadecimal digits alone are the id of an image. */
const reference = new RegExp(
  `^(?![a-f0-9]{64}$)(?:${registry}/)?${component}(?:/${component})*(?::${tag})?(?:@${digest})?$`,
);

/**
 * Otherwise the create would succeed, and the container fail when its image is pulled.
 * @throws UnprocessableError
 * @see https://github.com/distribution/reference/blob/main/regexp.go
 * @see https://github.com/opencontainers/image-spec/blob/main/descriptor.md (digests)
 * @see https://github.com/opencontainers/distribution-spec/blob/main/spec.md (pulling manifests: names)
 */
const checkImage = ({ image }: ContainerSpec): void => {
  const repository = repositoryOf(image);
  if (repository !== repository.toLowerCase())
    throw new UnprocessableError(
      `image.reference: expected a repository without capitals, which no registry accepts: ${repository.toLowerCase()} and not ${repository}`,
    );
  if (!reference.test(image))
    throw new UnprocessableError(
      `image.reference: expected [registry[:port]/]repository[:tag][@digest], such as quay.io/app/web:v1, where a digest is sha256: and 64 lower-case hexadecimal digits; not ${image}`,
    );
};

/** @throws UnprocessableError that names every limit of the operator that the spec exceeds. */
const checkLimits = (
  { ports, hints }: ContainerSpec,
  { cpuUnits, memoryMib }: TaskSize,
  {
    maximumVcpus,
    maximumMemoryGib,
    maximumStorageGib,
    taskRoles,
    spot,
    publicAddresses,
  }: ContainerProvisioning,
): void => {
  const { task_role: role, ephemeral_storage: storageGib = 0 } = hints;
  const task = `the smallest task of Fargate for it has ${cpuUnits / 1024} vCPUs and ${memoryMib / 1024}GB`;
  const refused = [
    ...(cpuUnits > maximumVcpus * 1024
      ? [`resources.cpu.max: ${task}, and this provider allows ${maximumVcpus} vCPUs`]
      : []),
    ...(memoryMib > maximumMemoryGib * 1024
      ? [`resources.memory.max: ${task}, and this provider allows ${maximumMemoryGib}GB`]
      : []),
    ...(storageGib > maximumStorageGib
      ? [
          `provider_hints.aws.ephemeral_storage: more than the ${maximumStorageGib} GiB that this provider allows`,
        ]
      : []),
    ...(role !== undefined && !taskRoles.includes(role)
      ? [`provider_hints.aws.task_role: this provider does not allow ${role}`]
      : []),
    ...(hints.launch === 'fargate_spot' && !spot
      ? ['provider_hints.aws.launch: this provider does not allow fargate_spot']
      : []),
    ...ports.flatMap(({ visibility }, index) =>
      visibility === 'external' && !publicAddresses
        ? [
            `network.ports[${index}].visibility: expected internal or none, since this provider gives containers no public address`,
          ]
        : [],
    ),
  ];
  if (refused.length > 0) throw new UnprocessableError(refused.join('; '));
};

/** @see https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html (task definition size) */
const maximumDefinitionBytes = 64 * 1024;

const checkDefinition = (definition: TaskDefinition): void => {
  if (Buffer.byteLength(JSON.stringify(definition)) > maximumDefinitionBytes)
    throw new UnprocessableError(
      'process: expected command, args and env of less than 64 KiB in all, as ECS allows',
    );
};

const checkCount = async (
  { maximumContainers }: ContainerProvisioning,
  livingContainers: () => Promise<number>,
): Promise<void> => {
  const living = await livingContainers();
  if (living >= maximumContainers)
    throw new UnprocessableError(
      `there are ${living} containers, and this provider allows ${maximumContainers}; delete one first`,
    );
};

/**
 * Up to three placements, the best first: all subnets, of which ECS takes one; then on-demand where spot was wanted; then single subnets, so
 * that a launch succeeds although a zone has no capacity.
 */
export const placementsOf = (
  launch: Placement['launch'],
  subnets: readonly string[],
): LaunchPlan['placements'] => {
  const all = [...subnets];
  const single =
    subnets.length < 2 ? [] : subnets.map((subnet): Placement => ({ launch: 'fargate', subnets: [subnet] }));
  const onDemand: Placement[] = launch === 'fargate' ? [] : [{ launch: 'fargate', subnets: all }];
  return [{ launch, subnets: all }, ...[...onDemand, ...single].slice(0, attemptsPerGeneration - 1)];
};
