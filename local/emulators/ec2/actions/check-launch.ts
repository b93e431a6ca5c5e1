import { Ec2Error, invalidCombination, invalidValue } from '../ec2-error.ts';
import { type Image, imagesOf, snapshotOf } from '../images.ts';
import { type InstanceType, instanceTypes, isOffered } from '../instance-types.ts';
import { zonesOf } from '../network.ts';
import type { Region } from '../region.ts';
import { imageWith } from './describe-images.ts';
import { securityGroupWith } from './describe-security-groups.ts';
import { subnetWith } from './describe-subnets.ts';
import { type LaunchRequest, networkAskedFor } from './launch-request.ts';

/** What a launch names, found. */
export type Named = { readonly image: Image; readonly type: InstanceType };

/** @throws Ec2Error for what EC2 would not launch, in a dry run neither. */
export const checkLaunch = (request: LaunchRequest, region: Region): Named => {
  checkCount(request);
  const image = imageWith(request.ImageId, imagesOf(region.account.id));
  const type = typeOf(request);
  if (image.architecture !== type.architecture) throw mismatch(image, type);
  checkNetwork(request, region);
  checkZone(request, type, region);
  checkDisks(request, image);
  checkUserData(request);
  checkProfile(request);
  return { image, type };
};

const largestLaunch = 1000;

const checkCount = ({ MinCount, MaxCount }: LaunchRequest): void => {
  if (MinCount < 1) throw invalidValue(`Value (${MinCount}) for parameter minCount is invalid.`);
  if (MinCount > MaxCount) throw invalidCombination('maxCount must be equal to or greater than minCount');
  if (MaxCount > largestLaunch) {
    throw new Ec2Error('InstanceLimitExceeded', `Launch at most ${largestLaunch} instances at once.`);
  }
};

const typeOf = ({ InstanceType }: LaunchRequest): InstanceType => {
  const type = instanceTypes.find(({ name }) => name === InstanceType);
  if (type) return type;
  throw invalidValue(`Invalid value '${InstanceType}' for InstanceType.`);
};

const mismatch = (image: Image, type: InstanceType): Ec2Error =>
  invalidValue(
    `The architecture '${type.architecture}' of the specified instance type does not match the architecture '${image.architecture}' of the specified AMI.`,
  );

const checkNetwork = (request: LaunchRequest, { name }: Region): void => {
  if (request.NetworkInterface && (request.SubnetId ?? request.SecurityGroupId) !== undefined) {
    throw invalidCombination(
      'Network interfaces and an instance-level subnet ID or security groups may not be specified on the same request',
    );
  }
  const { subnetId, groupIds } = networkAskedFor(request);
  const groups = groupIds?.map(securityGroupWith) ?? [];
  const vpcId = subnetId === undefined ? undefined : subnetWith(subnetId, name).vpcId;
  const foreign = vpcId && groups.find((group) => group.vpcId !== vpcId);
  if (!foreign) return;
  throw new Ec2Error(
    'InvalidParameter',
    `Security group ${foreign.id} and subnet ${subnetId} belong to different networks.`,
  );
};

const checkZone = (request: LaunchRequest, type: InstanceType, { name }: Region): void => {
  const asked = request.Placement?.AvailabilityZone;
  const { subnetId } = networkAskedFor(request);
  const ofSubnet = subnetId === undefined ? undefined : subnetWith(subnetId, name).zone;
  if (asked !== undefined && !zonesOf(name).includes(asked)) {
    throw invalidValue(`Invalid availability zone: [${asked}]`);
  }
  if (asked !== undefined && ofSubnet !== undefined && asked !== ofSubnet) {
    throw invalidValue(`The subnet '${subnetId}' is not in the availability zone ${asked}.`);
  }
  const zone = ofSubnet ?? asked;
  if (zone === undefined || isOffered(type, zone)) return;
  const others = zonesOf(name).filter((other) => isOffered(type, other));
  throw new Ec2Error(
    'Unsupported',
    `Your requested instance type (${type.name}) is not supported in your requested Availability Zone (${zone}). Please retry your request by not specifying an Availability Zone or choosing ${others.join(', ')}.`,
  );
};

const checkDisks = ({ BlockDeviceMapping }: LaunchRequest, image: Image): void => {
  const names = BlockDeviceMapping.map(({ DeviceName }) => DeviceName);
  if (new Set(names).size < names.length) throw wrongDevice('A device is mapped twice.');
  const malformed = names.find((name) => !/^(\/dev\/)?(sd|xvd)[a-z]{1,2}\d{0,2}$/.test(name));
  if (malformed !== undefined) throw wrongDevice(`Value (${malformed}) for device name is invalid.`);
  const asked = BlockDeviceMapping.find(({ DeviceName }) => DeviceName === image.rootDevice)?.Ebs?.VolumeSize;
  if (asked !== undefined && asked < image.snapshotGib) {
    throw wrongDevice(
      `Volume of size ${asked}GB is smaller than snapshot '${snapshotOf(image)}', expect size >= ${image.snapshotGib}GB`,
    );
  }
};

const wrongDevice = (message: string) => new Ec2Error('InvalidBlockDeviceMapping', message);

const maximumUserDataBytes = 16_384;

const checkUserData = ({ UserData }: LaunchRequest): void => {
  if (UserData === undefined) return;
  if (!/^[A-Za-z0-9+/\s]*={0,2}\s*$/.test(UserData)) {
    throw new Ec2Error('InvalidUserData.Malformed', 'Invalid BASE64 encoding of user data.');
  }
  if (Buffer.from(UserData, 'base64').length > maximumUserDataBytes) {
    throw invalidValue(`User data is limited to ${maximumUserDataBytes} bytes`);
  }
};

const checkProfile = ({ IamInstanceProfile: profile }: LaunchRequest): void => {
  const { Arn: arn, Name: name } = profile ?? {};
  if (arn !== undefined && !/^arn:[a-z-]+:iam::\d{12}:instance-profile\/[\w+=,.@/-]+$/.test(arn)) {
    throw invalidValue(`Value (${arn}) for parameter iamInstanceProfile.arn is invalid.`);
  }
  if (name !== undefined && !/^[\w+=,.@-]{1,128}$/.test(name)) {
    throw invalidValue(`Value (${name}) for parameter iamInstanceProfile.name is invalid.`);
  }
};
