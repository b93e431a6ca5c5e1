import { InvalidArgumentError, UnprocessableError } from '../../../core/errors.ts';
import type { InstanceType } from '../ports.ts';
import { familyOf, type Provisioning } from '../provisioning.ts';
import { defaultSize, type VmSpec } from '../spec.ts';

type Asked = Pick<VmSpec, 'vcpus' | 'memoryMib' | 'hints'>;
type Limits = Pick<Provisioning, 'families' | 'maximumVcpus' | 'maximumMemoryGib'>;
export type Fitting = { readonly types: readonly InstanceType[]; readonly chosenBy: string };

/**
 * The instance types on which a VM fits, the smallest first: fewest vCPUs, then least memory, then the family that the operator prefers.
 * A hint leaves one.
 * @throws InvalidArgumentError for a hint that contradicts the spec; UnprocessableError where nothing is left.
 */
export const fittingTypes = (asked: Asked, offered: readonly InstanceType[], limits: Limits): Fitting => {
  const hint = asked.hints.instance_type;
  const within = offered.filter(isWithin(limits)).filter(({ spot }) => spot || asked.hints.spot !== true);
  return hint === undefined
    ? smallest(asked, within, limits)
    : { types: [hinted(hint, asked, { offered, within })], chosenBy: 'provider_hints.aws.instance_type' };
};

const isWithin =
  ({ families, maximumVcpus, maximumMemoryGib }: Limits) =>
  ({ instanceType, vcpus, memoryMib }: InstanceType): boolean =>
    families.includes(familyOf(instanceType)) &&
    vcpus <= maximumVcpus &&
    memoryMib <= maximumMemoryGib * 1024;

const smallest = (asked: Asked, within: readonly InstanceType[], { families }: Limits): Fitting => {
  const { vcpus = defaultSize.vcpus, memoryMib = defaultSize.memoryMib } = asked;
  const types = within
    .filter((type) => type.vcpus >= vcpus && type.memoryMib >= memoryMib)
    .sort(bySize(families));
  const wanted = `${vcpus} vCPU${asked.vcpus === undefined ? ' (default)' : ''} and ${gib(memoryMib)}${asked.memoryMib === undefined ? ' (default)' : ''}`;
  if (types.length === 0) {
    const asSpot =
      asked.hints.spot === true ? ' and can be a spot instance, as provider_hints.aws.spot asks' : '';
    throw new UnprocessableError(
      `no instance type of ${families.join(', ')} within this provider's limits has ${wanted}${asSpot}`,
    );
  }
  return { types, chosenBy: `smallest of ${families.join(', ')} with ${wanted}` };
};

const bySize =
  (families: readonly string[]) =>
  (a: InstanceType, b: InstanceType): number =>
    a.vcpus - b.vcpus ||
    a.memoryMib - b.memoryMib ||
    families.indexOf(familyOf(a.instanceType)) - families.indexOf(familyOf(b.instanceType)) ||
    (a.instanceType < b.instanceType ? -1 : 1);

const hinted = (
  hint: string,
  { vcpus = 0, memoryMib = 0, hints }: Asked,
  { offered, within }: { offered: readonly InstanceType[]; within: readonly InstanceType[] },
): InstanceType => {
  const known = offered.find(({ instanceType }) => instanceType === hint);
  const subject = `provider_hints.aws.instance_type: ${hint}`;
  if (known === undefined) throw new InvalidArgumentError(`${subject} is not offered in this region`);
  const has = `${known.vcpus} vCPU and ${gib(known.memoryMib)}`;
  if (known.vcpus < vcpus || known.memoryMib < memoryMib) {
    throw new InvalidArgumentError(`${subject} has ${has}, less than vcpu.count or memory.size ask for`);
  }
  if (hints.spot === true && !known.spot)
    throw new InvalidArgumentError(`${subject} cannot be a spot instance, as provider_hints.aws.spot asks`);
  if (!within.includes(known))
    throw new UnprocessableError(`${subject} has ${has}, more than this provider allows`);
  return known;
};

const gib = (mib: number): string => `${mib / 1024} GiB`;
