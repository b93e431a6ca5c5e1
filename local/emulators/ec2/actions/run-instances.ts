import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { action } from '../action.ts';
import { describedAt, type Launch, newId, type SimulatedInstance } from '../instance.ts';
import { reservationXml } from '../instance-xml.ts';
import { Ec2Error, Flag, Integer, invalidCombination, invalidValue } from '../query-protocol.ts';
import type { Region } from '../region.ts';
import { type Image, imagesOf, imageWith, snapshotOf } from './images.ts';
import { defaultInstanceType, type InstanceType, instanceTypes, isOffered } from './instance-types.ts';
import { type Subnet, securityGroups, securityGroupWith, subnetsOf, subnetWith, zonesOf } from './network.ts';
import { TagList, tagsOf, withinLimit } from './tags.ts';

const Interface = z.object({
  AssociatePublicIpAddress: Flag.optional(),
  SubnetId: z.string().optional(),
  SecurityGroupId: z.array(z.string()).optional(),
});

const Device = z.object({
  DeviceName: z.string(),
  Ebs: z
    .object({
      VolumeSize: Integer.optional(),
      VolumeType: z.enum(['gp2', 'gp3', 'io1', 'io2', 'sc1', 'st1', 'standard']).optional(),
      Encrypted: Flag.optional(),
      DeleteOnTermination: Flag.default(true),
    })
    .optional(),
});

const hops = Integer.refine((count) => count >= 1 && count <= 64, 'Expecting 1 to 64.');

const Metadata = z.object({
  HttpEndpoint: z.enum(['enabled', 'disabled']).default('enabled'),
  HttpTokens: z.enum(['optional', 'required']).default('optional'),
  HttpPutResponseHopLimit: hops.default(1),
});

/** The parameters of RunInstances; others are accepted and ignored. */
export const LaunchRequest = z.looseObject({
  ImageId: z.string(),
  InstanceType: z.string().default(defaultInstanceType),
  MinCount: Integer,
  MaxCount: Integer,
  ClientToken: z.string().max(64).optional(),
  KeyName: z.string().optional(),
  SubnetId: z.string().optional(),
  SecurityGroupId: z.array(z.string()).optional(),
  Placement: z.object({ AvailabilityZone: z.string().optional() }).optional(),
  NetworkInterface: z.array(Interface).optional(),
  BlockDeviceMapping: z.array(Device).default([]),
  MetadataOptions: Metadata.default(Metadata.parse({})),
  /** Base64. */
  UserData: z.string().optional(),
  IamInstanceProfile: z.object({ Arn: z.string().optional(), Name: z.string().optional() }).optional(),
  TagSpecification: z.array(z.object({ ResourceType: z.string().optional(), Tag: TagList })).default([]),
  InstanceMarketOptions: z
    .object({
      MarketType: z.string().optional(),
      SpotOptions: z.object({ SpotInstanceType: z.enum(['one-time', 'persistent']).optional() }).optional(),
    })
    .optional(),
  HibernationOptions: z.object({ Configured: Flag.optional() }).optional(),
  DisableApiTermination: Flag.default(false),
});
export type LaunchRequest = z.infer<typeof LaunchRequest>;

/** The requested subnet and security groups: of the network interface, or of the request itself. */
const requestedNetwork = ({ NetworkInterface, SubnetId, SecurityGroupId }: LaunchRequest) => {
  const first = NetworkInterface?.[0];
  return { subnetId: first?.SubnetId ?? SubnetId, groupIds: first?.SecurityGroupId ?? SecurityGroupId };
};

/** The tags of the instances, or of their volumes; tags of other resources are ignored. */
const tagsFor = (type: 'instance' | 'volume', { TagSpecification }: LaunchRequest): Tags => {
  const wanted = TagSpecification.filter(({ ResourceType }) => ResourceType === type);
  return withinLimit(tagsOf(wanted.flatMap(({ Tag }) => Tag)));
};

/**
 * Launches MaxCount instances, unless a fault limits the capacity.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
export const runInstances = action(LaunchRequest, (request, region) => {
  const named = checkLaunch(request, region);
  const launch = launchOf(request, named, region);
  const tags = tagsFor('instance', request);
  const repeated = launchedWithToken(launch, region);
  return () => {
    const own = { tags, disableApiTermination: request.DisableApiTermination };
    if (!repeated) checkCapacity(launch, request.MaxCount, region);
    const instances =
      repeated ??
      Array.from({ length: request.MaxCount }, (_, launchIndex) =>
        region.launch(launch, { launchIndex, ...own }),
      );
    const noLag = { staleReadMs: 0, tagLagMs: 0 };
    const described = instances.map((instance) => describedAt(region.account.clock(), noLag, instance));
    return reservationXml(described, region.account.id);
  };
});

/**
 * The instances that an earlier call with the same client token launched.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
 */
const launchedWithToken = (
  { clientToken, request }: Launch,
  region: Region,
): readonly SimulatedInstance[] | undefined => {
  if (clientToken === undefined) return undefined;
  const before = [...region.all()].filter(({ launch }) => launch.clientToken === clientToken);
  if (before.some(({ launch }) => launch.request !== request)) {
    throw new Ec2Error(
      'IdempotentParameterMismatch',
      'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    );
  }
  if (before.length > 0 && before.every(({ status }) => status.value.state === 'terminated')) {
    throw new Ec2Error(
      'IdempotentInstanceTerminated',
      'The client token was used by a request whose instance has been terminated.',
    );
  }
  return before.length > 0 ? before : undefined;
};

/** The image and the instance type of a launch. */
export type ImageAndType = { readonly image: Image; readonly type: InstanceType };

/** Checks a request as EC2 does, in a dry run too. @throws Ec2Error */
export const checkLaunch = (request: LaunchRequest, region: Region): ImageAndType => {
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

const maximumInstances = 1000;

const checkCount = ({ MinCount, MaxCount }: LaunchRequest): void => {
  if (MinCount < 1) throw invalidValue(`Value (${MinCount}) for parameter minCount is invalid.`);
  if (MinCount > MaxCount) throw invalidCombination('maxCount must be equal to or greater than minCount');
  if (MaxCount > maximumInstances) {
    throw new Ec2Error('InstanceLimitExceeded', `Launch at most ${maximumInstances} instances at once.`);
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
  const { subnetId, groupIds } = requestedNetwork(request);
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
  const { subnetId } = requestedNetwork(request);
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

/** The launch of a checked request, with EC2's choices for what the request leaves open. */
export const launchOf = (
  { DryRun, ...request }: LaunchRequest,
  { image, type }: ImageAndType,
  region: Region,
): Launch => {
  const market = request.InstanceMarketOptions;
  const { groupIds } = requestedNetwork(request);
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
    volumeTags: tagsFor('volume', request),
    metadata: request.MetadataOptions,
    instanceProfile: profileArn(request, region),
    clientToken: request.ClientToken,
    request: JSON.stringify(request),
  };
};

/** The requested subnet, or the default subnet of a zone that offers the type and has capacity. */
const subnetOf = (request: LaunchRequest, type: InstanceType, region: Region): Subnet => {
  const { subnetId } = requestedNetwork(request);
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

/** EC2's smallest volume, where neither a size nor a snapshot says more. */
const smallestGib = 1;

const devicesOf = ({ BlockDeviceMapping }: LaunchRequest, image: Image): Launch['devices'] => {
  const { rootDevice, snapshotGib } = image;
  const root = {
    ...{ gib: snapshotGib, snapshotId: snapshotOf(image) },
    volumeType: 'gp3',
    encrypted: false,
  };
  const empty = { gib: smallestGib, snapshotId: undefined, volumeType: 'gp2', encrypted: false };
  const asked = BlockDeviceMapping.map(({ DeviceName, Ebs }) => {
    const usual = DeviceName === rootDevice ? root : empty;
    return {
      ...usual,
      name: DeviceName,
      deleteOnTermination: Ebs?.DeleteOnTermination ?? true,
      gib: Ebs?.VolumeSize ?? usual.gib,
      volumeType: Ebs?.VolumeType ?? usual.volumeType,
      encrypted: Ebs?.Encrypted ?? usual.encrypted,
    };
  });
  const hasRoot = asked.some(({ name }) => name === rootDevice);
  return hasRoot ? asked : [{ ...root, name: rootDevice, deleteOnTermination: true }, ...asked];
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

/** @throws Ec2Error where there is no capacity for this many instances. Not called in a dry run. */
const checkCapacity = (launch: Launch, count: number, region: Region): void => {
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
