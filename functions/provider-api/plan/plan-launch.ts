import { InvalidArgumentError } from '../../../shared/domain/errors.ts';
import { familyOf } from '../../../shared/domain/instance-family.ts';
import type { LaunchPlan } from '../../../shared/domain/launch.ts';
import type { Provisioning } from '../../../shared/domain/provisioning.ts';
import type { TagKeys } from '../../../shared/domain/tags.ts';
import type { Image, InstanceType, Offerings } from '../../../shared/ports/offerings.ts';
import type { VmSpec } from '../spec/vm-spec.ts';
import { chooseImage } from './choose-image.ts';
import { type Fitting, fittingTypes } from './choose-type.ts';
import { disksOf } from './disks.ts';
import { instanceTags } from './instance-tags.ts';
import { checkDisks, checkLimits, checkRoom, networkOf } from './limits.ts';
import { type OneOrMore, placementsOf, sitesOf } from './placements.ts';
import { userData } from './user-data.ts';

export type PlanningParts = {
  readonly offerings: Offerings;
  readonly provisioning: Provisioning;
  /** How many VMs there are that are not deleted, over all regions. */
  readonly livingVms: () => Promise<number>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

type Request = { readonly vmId: string; readonly region: string; readonly requestId: string };

/**
 * Decides all of a launch before EC2 is asked for it. Everything that the spec says is in the plan, or the spec is refused.
 * @throws InvalidArgumentError for what contradicts itself or is not there; UnprocessableError for what the operator's limits forbid;
 * else what Offerings throws.
 */
export const planLaunch = (parts: PlanningParts) => {
  const choose = chooseImage(parts);
  return async (spec: VmSpec, { vmId, region, requestId }: Request): Promise<LaunchPlan> => {
    const { offerings, provisioning, tagKeys: keys, provider } = parts;
    const network = networkOf(provisioning, region);
    checkLimits(spec, { region, provisioning });
    const sites = sitesOf(spec.hints, { region, ...network });
    await checkRoom(provisioning, parts.livingVms);
    const { instance_type: hint, security_group_ids: groups, iam_instance_profile: profile } = spec.hints;
    const offered = await offerings.instanceTypes(
      region,
      hint === undefined ? provisioning.families : [familyOf(hint)],
    );
    const fitting = fittingTypes(spec, offered, provisioning);
    const architectures = [...new Set(fitting.types.flatMap((type) => type.architectures))];
    const chosen = await choose(spec, { region, architectures });
    const disks = disksOf(spec, chosen.image);
    checkDisks(disks, provisioning);
    return {
      region,
      imageId: chosen.image.imageId,
      placements: placementsOf(runnable(fitting, chosen.image), sites),
      securityGroupIds: groups ?? network.securityGroupIds,
      disks,
      userData: keyAsUserData(spec, chosen.image),
      instanceProfile: profile,
      spot: spec.hints.spot ?? false,
      publicAddress: provisioning.publicAddresses,
      kmsKeyId: network.kmsKeyId,
      tags: instanceTags(spec, { vmId, provider, requestId, keys }),
      sshUser: chosen.sshUser,
      chosenBy: { image: chosen.chosenBy, instanceType: fitting.chosenBy },
    };
  };
};

const runnable = ({ types }: Fitting, { imageId, architecture }: Image): OneOrMore<InstanceType> => {
  const [first, ...others] = types.filter(({ architectures }) => architectures.includes(architecture));
  if (first === undefined) {
    const [best] = types;
    throw new InvalidArgumentError(
      `image ${imageId} is for ${architecture}, and ${best?.instanceType} runs ${best?.architectures.join(', ')} only`,
    );
  }
  return [first, ...others];
};

const keyAsUserData = ({ sshPublicKey }: VmSpec, { platform, imageId }: Image): string | undefined => {
  if (sshPublicKey === undefined) return undefined;
  if (platform === 'windows') {
    throw new InvalidArgumentError(
      `access.ssh_public_key: expected none, as image ${imageId} is Windows, which takes no SSH key`,
    );
  }
  return userData(sshPublicKey);
};
