import { InvalidArgumentError, UnprocessableError } from '../core/errors.ts';

export type InstanceType = {
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  /** Whether it is available as a spot instance. */
  readonly spot: boolean;
};

/** The family of an instance type: `m7i` of `m7i.large`. */
export const familyOf = (instanceType: string): string => instanceType.split('.', 1).join('');

/** The size that is chosen where the spec has none: the smallest on which every guest OS of the VMs' catalogue starts. */
export const defaultSize = { vcpus: 1, memoryMib: 2048 } as const;

/** What an instance type must have. */
type Asked = {
  readonly vcpus: number | undefined;
  readonly memoryMib: number | undefined;
  readonly hints: { readonly instance_type?: string | undefined; readonly spot?: boolean | undefined };
  /** The fields of the spec that say it, for errors. @default those of a VM */
  readonly fields?: string;
};

/** The operator's. */
type Limits = {
  /** The allowed instance families, the preferred first. */
  readonly families: readonly string[];
  readonly maximumVcpus: number;
  readonly maximumMemoryGib: number;
};

export type Fitting<Type extends InstanceType> = {
  readonly types: readonly Type[];
  readonly chosenBy: string;
};

/**
 * The instance types that fit the spec, the smallest first: by vCPUs, then by memory, then by the operator's order of families. A hint
 * leaves only the type that it names.
 * @throws InvalidArgumentError for a hint that contradicts the spec; UnprocessableError where no type fits.
 */
export const fittingTypes = <Type extends InstanceType>(
  asked: Asked,
  offered: readonly Type[],
  limits: Limits,
): Fitting<Type> => {
  const hint = asked.hints.instance_type;
  const allowed = offered.filter(isAllowed(limits)).filter(({ spot }) => spot || asked.hints.spot !== true);
  return hint === undefined
    ? smallest(asked, allowed, limits)
    : { types: [hinted(hint, asked, { offered, allowed })], chosenBy: 'provider_hints.aws.instance_type' };
};

const isAllowed =
  ({ families, maximumVcpus, maximumMemoryGib }: Limits) =>
  ({ instanceType, vcpus, memoryMib }: InstanceType): boolean =>
    families.includes(familyOf(instanceType)) &&
    vcpus <= maximumVcpus &&
    memoryMib <= maximumMemoryGib * 1024;

const smallest = <Type extends InstanceType>(
  asked: Asked,
  allowed: readonly Type[],
  { families }: Limits,
): Fitting<Type> => {
  const { vcpus = defaultSize.vcpus, memoryMib = defaultSize.memoryMib } = asked;
  const types = allowed
    .filter((type) => type.vcpus >= vcpus && type.memoryMib >= memoryMib)
    .sort(bySize(families));
  const needed = `${vcpus} vCPU${asked.vcpus === undefined ? ' (default)' : ''} and ${gib(memoryMib)}${asked.memoryMib === undefined ? ' (default)' : ''}`;
  if (types.length === 0) {
    const asSpot =
      asked.hints.spot === true
        ? ' and is available as a spot instance, as provider_hints.aws.spot requires'
        : '';
    throw new UnprocessableError(
      `no instance type of ${families.join(', ')} within this provider's limits has ${needed}${asSpot}`,
    );
  }
  return { types, chosenBy: `smallest of ${families.join(', ')} with ${needed}` };
};

const bySize =
  (families: readonly string[]) =>
  (a: InstanceType, b: InstanceType): number =>
    a.vcpus - b.vcpus ||
    a.memoryMib - b.memoryMib ||
    families.indexOf(familyOf(a.instanceType)) - families.indexOf(familyOf(b.instanceType)) ||
    (a.instanceType < b.instanceType ? -1 : 1);

const hinted = <Type extends InstanceType>(
  hint: string,
  { vcpus = 0, memoryMib = 0, hints, fields = 'vcpu.count or memory.size' }: Asked,
  { offered, allowed }: { offered: readonly Type[]; allowed: readonly Type[] },
): Type => {
  const known = offered.find(({ instanceType }) => instanceType === hint);
  const subject = `provider_hints.aws.instance_type: ${hint}`;
  if (known === undefined) throw new InvalidArgumentError(`${subject} is not offered in this region`);
  const has = `${known.vcpus} vCPU and ${gib(known.memoryMib)}`;
  if (known.vcpus < vcpus || known.memoryMib < memoryMib) {
    throw new InvalidArgumentError(`${subject} has ${has}, less than ${fields}`);
  }
  if (hints.spot === true && !known.spot)
    throw new InvalidArgumentError(
      `${subject} is not available as a spot instance, as provider_hints.aws.spot requires`,
    );
  if (!allowed.includes(known))
    throw new UnprocessableError(`${subject} has ${has}, more than this provider allows`);
  return known;
};

const gib = (mib: number): string => `${mib / 1024} GiB`;
