import { UnprocessableError } from '../../../core/errors.ts';
import { familyOf } from '../../instance-types.ts';
import type { LaunchPlan } from '../launch.ts';
import { type Provisioning, type RegionNetwork, securityGroupIdsOf, subnetIdsOf } from '../provisioning.ts';
import type { VmSpec } from '../spec.ts';

/** The network of VMs in a region. @throws UnprocessableError for a region that is not configured. */
export const networkOf = ({ regions }: Provisioning, region: string): RegionNetwork => {
  const network = Object.hasOwn(regions, region) ? regions[region] : undefined;
  if (network === undefined) {
    throw new UnprocessableError(
      `region: this provider does not create VMs in ${region}, only in ${Object.keys(regions).join(', ') || 'none'}`,
    );
  }
  return network;
};

/** @throws UnprocessableError that names every limit of the operator that the spec exceeds. */
export const checkLimits = (
  spec: VmSpec,
  { region, provisioning }: { readonly region: string; readonly provisioning: Provisioning },
): void => {
  const { maximumVcpus, maximumMemoryGib, instanceProfiles, spot } = provisioning;
  const { iam_instance_profile: profile } = spec.hints;
  const refused = [
    ...((spec.vcpus ?? 0) > maximumVcpus
      ? [`vcpu.count: ${spec.vcpus} is more than the ${maximumVcpus} that this provider allows`]
      : []),
    ...((spec.memoryMib ?? 0) > maximumMemoryGib * 1024
      ? [`memory.size: more than the ${maximumMemoryGib}GB that this provider allows`]
      : []),
    ...(profile !== undefined && !instanceProfiles.includes(profile)
      ? [`provider_hints.aws.iam_instance_profile: this provider does not allow ${profile}`]
      : []),
    ...(spec.hints.spot === true && !spot
      ? ['provider_hints.aws.spot: this provider does not allow spot instances']
      : []),
    ...networkRefusals(spec.hints, { region, network: networkOf(provisioning, region) }),
    ...familyRefusal(spec.hints.instance_type, provisioning),
    ...diskRefusal(spec.disks, provisioning),
  ];
  if (refused.length > 0) throw new UnprocessableError(refused.join('; '));
};

const networkRefusals = (
  { subnet_id: subnet, security_group_ids: groups = [] }: VmSpec['hints'],
  { region, network }: { readonly region: string; readonly network: RegionNetwork },
): string[] => {
  const refusal = (hint: string, given: readonly string[], allowed: readonly string[]): string[] => {
    const others = given.filter((id) => !allowed.includes(id));
    if (others.length === 0) return [];
    const only = allowed.length === 0 ? 'none is configured' : `only ${allowed.join(', ')}`;
    return [
      `provider_hints.aws.${hint}: this provider does not allow ${others.join(', ')} in ${region}: ${only}`,
    ];
  };
  return [
    ...refusal('subnet_id', subnet === undefined ? [] : [subnet], subnetIdsOf(network)),
    ...refusal('security_group_ids', groups, securityGroupIdsOf(network)),
  ];
};

const familyRefusal = (instanceType: string | undefined, { families }: Provisioning): string[] =>
  instanceType === undefined || families.includes(familyOf(instanceType))
    ? []
    : [
        `provider_hints.aws.instance_type: ${instanceType} is not in the families that this provider allows: ${families.join(', ')}`,
      ];

const diskRefusal = (disks: readonly { gib: number }[], { maximumDiskGib }: Provisioning): string[] => {
  const gib = disks.reduce((sum, disk) => sum + disk.gib, 0);
  return gib > maximumDiskGib
    ? [`storage.disks: ${gib}GB in total, more than the ${maximumDiskGib}GB that this provider allows`]
    : [];
};

/** Checks the limit again, with the disks that the image adds to those of the spec. @throws UnprocessableError */
export const checkDisks = (disks: LaunchPlan['disks'], provisioning: Provisioning): void => {
  const [refusal] = diskRefusal(disks, provisioning);
  if (refusal !== undefined) throw new UnprocessableError(refusal);
};

/** @throws UnprocessableError where the maximum number of VMs is reached. */
export const checkVmCount = async (
  { maximumVms }: Provisioning,
  livingVms: () => Promise<number>,
): Promise<void> => {
  const living = await livingVms();
  if (living >= maximumVms) {
    throw new UnprocessableError(
      `there are ${living} VMs, and this provider allows ${maximumVms}; delete one first`,
    );
  }
};
