import { ResourceExhaustedError, reasonOf } from '../../shared/core/errors.ts';
import type { Target } from '../../shared/core/target.ts';
import { familyOf } from '../../shared/service-types/instance-types.ts';
import type { LaunchPlan } from '../../shared/service-types/vm/launch.ts';
import { type PlanningParts, planLaunch } from '../../shared/service-types/vm/plan/plan-launch.ts';
import type { InstanceActions, VcpuQuota } from '../../shared/service-types/vm/ports.ts';
import { isStandard } from '../../shared/service-types/vm/provisioning.ts';
import type { VmValidation } from '../../shared/service-types/vm/resource.ts';
import type { VmSpec } from '../../shared/service-types/vm/spec.ts';

type Parts = PlanningParts & {
  readonly actions: Pick<InstanceActions, 'dryRun'>;
  readonly vcpuQuota: VcpuQuota;
};

/**
 * Checks a create without launching anything: by the launch plan, EC2's dry run, and the account's vCPU quota.
 * @throws what a create would be refused with; ResourceExhaustedError where the vCPU quota does not suffice.
 */
export const validateVm = (parts: Parts) => {
  const plan = planLaunch(parts);
  return async (
    spec: VmSpec,
    { region, account, requestId }: Target & { readonly requestId: string },
  ): Promise<VmValidation> => {
    const planned = await plan(spec, { dcmId: 'validation', region, account, requestId });
    const [placement] = planned.placements;
    const [vcpuQuota] = await Promise.all([
      compareWithQuota(parts, planned, { region, account }),
      parts.actions.dryRun(planned, placement),
    ]);
    return {
      region,
      image_id: planned.imageId,
      instance_type: placement.instanceType,
      ...(placement.subnetId !== undefined && { subnet_id: placement.subnetId }),
      ...(placement.zone !== undefined && { zone: placement.zone }),
      chosen_by: { image: planned.chosenBy.image, instance_type: planned.chosenBy.instanceType },
      vcpu_quota: vcpuQuota,
    };
  };
};

const compareWithQuota = async (
  { offerings, vcpuQuota }: Pick<Parts, 'offerings' | 'vcpuQuota'>,
  { spot, placements: [{ instanceType }] }: LaunchPlan,
  target: Target,
): Promise<string> => {
  const family = familyOf(instanceType);
  if (!isStandard(instanceType)) return `not checked: family ${family} has a quota of its own`;
  const types = await offerings.instanceTypes(target, [family]);
  const needed = types.find((type) => type.instanceType === instanceType)?.vcpus ?? 0;
  const found = await vcpuQuota
    .quota(target, spot ? 'spot' : 'on-demand')
    .catch((error: unknown) => reasonOf(error));
  if (typeof found === 'string') return `not checked: ${found}`;
  const { limit, used } = found;
  const comparison = `${used} of ${limit} vCPUs in ${target.region} are in use, and ${instanceType} needs ${needed}`;
  if (used + needed > limit)
    throw new ResourceExhaustedError(`the account's vCPU quota does not suffice: ${comparison}`);
  return comparison;
};
