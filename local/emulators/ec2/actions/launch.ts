import { Ec2Error } from '../ec2-error.ts';
import type { Image } from '../images.ts';
import { type Launch, newId } from '../instance.ts';
import { type InstanceType, instanceTypes, isOffered } from '../instance-types.ts';
import { type Subnet, securityGroups, subnetsOf, zonesOf } from '../network.ts';
import type { Region } from '../region.ts';
import type { Named } from './check-launch.ts';
import { subnetWith } from './describe-subnets.ts';
import { type LaunchRequest, networkAskedFor } from './launch-request.ts';

/** What a launch that was checked comes to, with what EC2 chooses where nothing is asked for. */
export const launchOf = (
  { DryRun, ...request }: LaunchRequest,
  { image, type }: Named,
  region: Region,
): Launch => {
  const market = request.InstanceMarketOptions;
  const { groupIds } = networkAskedFor(request);
  const subnet = subnetOf(request, type, region);
  return {
    reservationId: newId('r'),
    ...{ imageId: image.id, architecture: image.architecture, windows: image.windows },
    instanceType: type.name,
    ...{ availabilityZone: subnet.zone, subnetId: subnet.id, vpcId: subnet.vpcId },
    securityGroupIds: groupIds ?? defaultGroup(subnet),
    keyName: request.KeyName,
    spot: market?.MarketType === 'spot' ? (market.SpotOptions?.SpotInstanceType ?? 'one-time') : undefined,
    hibernation: request.HibernationOptions?.Configured ?? false,
    publicAddress: request.NetworkInterface?.[0]?.AssociatePublicIpAddress ?? subnet.isDefault,
    rootDevice: image.rootDevice,
    devices: devicesOf(request, image),
    metadata: request.MetadataOptions,
    instanceProfile: profileArn(request, region),
    clientToken: request.ClientToken,
    request: JSON.stringify(request),
  };
};

/** Without a wish EC2 takes a zone that has the type, and room for it. */
const subnetOf = (request: LaunchRequest, type: InstanceType, region: Region): Subnet => {
  const { subnetId } = networkAskedFor(request);
  if (subnetId !== undefined) return subnetWith(subnetId, region.name);
  const zones = zonesOf(region.name).filter((zone) => isOffered(type, zone));
  const free = zones.find((zone) => hasCapacity({ instanceType: type.name, availabilityZone: zone }, region));
  const zone = request.Placement?.AvailabilityZone ?? free ?? zones[0];
  const subnet = subnetsOf(region.name).find((one) => one.zone === zone && one.isDefault);
  if (subnet) return subnet;
  throw new Ec2Error('MissingInput', `No default subnet for availability zone: '${zone}'.`);
};

const defaultGroup = ({ vpcId }: Subnet) =>
  securityGroups.filter((group) => group.vpcId === vpcId && group.name === 'default').map(({ id }) => id);

const devicesOf = ({ BlockDeviceMapping }: LaunchRequest, { rootDevice }: Image): Launch['devices'] => {
  const asked = BlockDeviceMapping.map(({ DeviceName, Ebs }) => ({
    name: DeviceName,
    deleteOnTermination: Ebs?.DeleteOnTermination ?? true,
  }));
  const hasRoot = asked.some(({ name }) => name === rootDevice);
  return hasRoot ? asked : [{ name: rootDevice, deleteOnTermination: true }, ...asked];
};

const profileArn = ({ IamInstanceProfile: profile }: LaunchRequest, { account }: Region) =>
  profile?.Arn ?? (profile?.Name && `arn:aws:iam::${account.id}:instance-profile/${profile.Name}`);

type Wanted = Pick<Launch, 'instanceType' | 'availabilityZone'>;

const hasCapacity = ({ instanceType, availabilityZone }: Wanted, { account }: Region): boolean =>
  !account
    .faults()
    .noCapacity.some(
      (lack) =>
        (lack.instanceType ?? instanceType) === instanceType &&
        (lack.zone ?? availabilityZone) === availabilityZone,
    );

/** @throws Ec2Error where there is no room for so many; a dry run does not ask. */
export const takeCapacity = (launch: Launch, count: number, region: Region): void => {
  const { instanceType, availabilityZone } = launch;
  if (!hasCapacity(launch, region)) {
    throw new Ec2Error(
      'InsufficientInstanceCapacity',
      `We currently do not have sufficient ${instanceType} capacity in the Availability Zone you requested (${availabilityZone}).`,
      500,
    );
  }
  const { vcpuLimit } = region.account.faults();
  if (launch.spot || vcpuLimit === Number.POSITIVE_INFINITY) return;
  if (vcpusInUse(region) + count * vcpusOf(instanceType) > vcpuLimit) {
    throw new Ec2Error(
      'VcpuLimitExceeded',
      `You have requested more vCPU capacity than your current vCPU limit of ${vcpuLimit} allows for the instance bucket that the specified instance type belongs to.`,
    );
  }
};

const vcpusOf = (type: string): number => instanceTypes.find(({ name }) => name === type)?.vcpus ?? 0;

const vcpusInUse = (region: Region): number =>
  [...region.all()]
    .filter(({ launch, status: { value } }) => !launch.spot && /^(pending|running)$/.test(value.state))
    .reduce((sum, { launch }) => sum + vcpusOf(launch.instanceType), 0);
