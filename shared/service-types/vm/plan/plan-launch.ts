import { regionOfZone } from '../../../adapters/aws/regions.ts';
import { InvalidArgumentError, UnprocessableError } from '../../../core/errors.ts';
import { labelsField, type TagKeys } from '../../../core/ownership.ts';
import { type Target, targetKey } from '../../../core/target.ts';
import { type Fitting, familyOf, fittingTypes } from '../../instance-types.ts';
import { resourceTags } from '../../resource-tags.ts';
import type { AwsHints } from '../hints.ts';
import type { LaunchPlan, Placement } from '../launch.ts';
import type { Image, InstanceType, Offerings } from '../ports.ts';
import type { Provisioning, RegionNetwork } from '../provisioning.ts';
import type { VmSpec } from '../spec.ts';
import { chooseImage } from './choose-image.ts';
import { checkDisks, checkLimits, checkVmCount, networkOf } from './limits.ts';
import { userData } from './user-data.ts';

export type PlanningParts = {
  readonly offerings: Offerings;
  readonly provisioning: Provisioning;
  /** The number of VMs that are not deleted, over all regions. */
  readonly livingVms: () => Promise<number>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

type Request = Target & { readonly dcmId: string; readonly requestId: string };

/**
 * Plans a launch before EC2 is asked for it. Every field of the spec is in the plan, or the spec is refused.
 * @throws InvalidArgumentError for fields that contradict each other or name something that does not exist; UnprocessableError for what the
 * operator's limits forbid; what Offerings throws.
 */
export const planLaunch = (parts: PlanningParts) => {
  const choose = chooseImage(parts);
  return async (spec: VmSpec, { dcmId, requestId, region, account }: Request): Promise<LaunchPlan> => {
    const target = { region, account };
    const { offerings, provisioning, tagKeys: keys, provider } = parts;
    const network = networkOf(provisioning, region);
    checkLimits(spec, { region, provisioning });
    const sites = sitesOf(spec.hints, { region, ...network });
    await checkVmCount(provisioning, parts.livingVms);
    const { instance_type: hint, security_group_ids: groups, iam_instance_profile: profile } = spec.hints;
    const offered = await offerings.instanceTypes(
      target,
      hint === undefined ? provisioning.families : [familyOf(hint)],
    );
    const fitting = fittingTypes(spec, offered, provisioning);
    const architectures = [...new Set(fitting.types.flatMap((type) => type.architectures))];
    const chosen = await choose(spec, { target, architectures });
    const disks = disksOf(spec, chosen.image);
    checkDisks(disks, provisioning);
    return {
      region: targetKey(target),
      imageId: chosen.image.imageId,
      placements: placementsOf(runnable(fitting, chosen.image), sites),
      securityGroupIds: groups ?? network.securityGroupIds,
      disks,
      userData: keyAsUserData(spec, chosen.image),
      instanceProfile: profile,
      spot: spec.hints.spot ?? false,
      publicAddress: provisioning.publicAddresses,
      kmsKeyId: network.kmsKeyId,
      ...labelsField(spec.labels),
      tags: resourceTags(spec, { serviceType: 'vm', service: 'EC2', dcmId, provider, requestId, keys }),
      sshUser: chosen.sshUser,
      chosenBy: { image: chosen.chosenBy, instanceType: fitting.chosenBy },
    };
  };
};

const runnable = (
  { types }: Fitting<InstanceType>,
  { imageId, architecture }: Image,
): OneOrMore<InstanceType> => {
  const [first, ...others] = types.filter(({ architectures }) => architectures.includes(architecture));
  if (first === undefined) {
    const [best] = types;
    throw new InvalidArgumentError(
      `image ${imageId} is for ${architecture}, but ${best?.instanceType} runs only ${best?.architectures.join(', ')}`,
    );
  }
  return [first, ...others];
};

const keyAsUserData = ({ sshPublicKey }: VmSpec, { platform, imageId }: Image): string | undefined => {
  if (sshPublicKey === undefined) return undefined;
  if (platform === 'windows') {
    throw new InvalidArgumentError(
      `access.ssh_public_key: expected none, since image ${imageId} is Windows, which does not accept an SSH key`,
    );
  }
  return userData(sshPublicKey);
};

type Site = Pick<Placement, 'subnetId' | 'zone'>;

export type OneOrMore<Thing> = readonly [Thing, ...Thing[]];

/**
 * Up to three placements, the best first: the smallest type in two sites, then the next type, so that a launch succeeds although a zone or a
 * type has no capacity. With one site, only the types differ.
 */
export const placementsOf = (
  types: OneOrMore<InstanceType>,
  sites: OneOrMore<Site>,
): LaunchPlan['placements'] => {
  const [best] = types;
  const [first, second] = sites;
  const at = (index: number): Site => sites[index % sites.length] ?? first;
  const fallbacks =
    second === undefined
      ? types.slice(1, 3).map((type) => place(type, first))
      : [place(best, second), place(types[1] ?? best, at(2))];
  const chosen = [place(best, first)];
  const others = fallbacks.filter((fallback) => isNew(fallback, chosen));
  return [place(best, first), ...others];
};

const place = ({ instanceType }: InstanceType, site: Site): Placement => ({ instanceType, ...site });

/** With two sites and one type, the third placement would repeat the first. */
const isNew = (placement: Placement, chosen: readonly Placement[]): boolean =>
  !chosen.some(
    ({ instanceType, subnetId }) =>
      instanceType === placement.instanceType && subnetId === placement.subnetId,
  );

/**
 * The sites of a VM: those of the hints, else the configured subnets of the region, else EC2's choice.
 * @throws InvalidArgumentError for a zone of another region; UnprocessableError for a zone without a configured subnet.
 */
export const sitesOf = (
  { subnet_id: subnetId, availability_zone: zone }: AwsHints,
  { region, subnets }: { readonly region: string } & Pick<RegionNetwork, 'subnets'>,
): OneOrMore<Site> => {
  const subject = `provider_hints.aws.availability_zone: ${zone}`;
  if (zone !== undefined && regionOfZone(zone) !== region)
    throw new InvalidArgumentError(`${subject} is not in ${region}`);
  const site = zone === undefined ? {} : { zone };
  if (subnetId !== undefined) return [{ ...site, subnetId }];
  if (subnets.length === 0) return [site];
  const [first, ...others] = subnets
    .filter((subnet) => zone === undefined || subnet.zone === zone)
    .map(({ id, zone: its }) => ({ subnetId: id, zone: its }));
  if (first === undefined) {
    const zones = [...new Set(subnets.map((subnet) => subnet.zone))];
    throw new UnprocessableError(
      `${subject} has no subnet of this provider; expected one of ${zones.join(', ')}`,
    );
  }
  return [first, ...others];
};

/** The last letters of device names that AWS recommends for data volumes. */
const letters = [...'fghijklmnop'];

/**
 * The boot disk, at least as large as the image, then the image's other disks, then the data disks in the order of the spec.
 * @throws InvalidArgumentError for a boot disk that is smaller than the image, and for more data disks than device names.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
 */
export const disksOf = ({ disks }: Pick<VmSpec, 'disks'>, image: Image): LaunchPlan['disks'] => {
  const [root, ...others] = image.volumes;
  const boot = disks.find(({ name }) => name === 'boot');
  const smallest = root?.gib ?? 1;
  if (boot !== undefined && boot.gib < smallest) {
    throw new InvalidArgumentError(
      `storage.disks: the boot disk of ${boot.gib} GiB is too small for image ${image.imageId}: expected at least ${smallest}GB`,
    );
  }
  return [
    { deviceName: image.rootDeviceName, gib: boot?.gib ?? smallest },
    ...others,
    ...dataDisks(
      disks.filter(({ name }) => name !== 'boot'),
      image,
    ),
  ];
};

const dataDisks = (disks: VmSpec['disks'], { platform, volumes }: Image): LaunchPlan['disks'] => {
  const taken = new Set(volumes.map(({ deviceName }) => deviceName.replace(/^.*[sv]d([a-z]).*$/, '$1')));
  const prefix = platform === 'windows' ? 'xvd' : '/dev/sd';
  const free = letters.filter((letter) => !taken.has(letter));
  if (disks.length > free.length) {
    throw new InvalidArgumentError(
      `storage.disks: expected at most ${free.length} disks besides boot, not ${disks.length}`,
    );
  }
  return disks.map(({ gib }, index) => ({ deviceName: `${prefix}${free[index]}`, gib }));
};
