import * as z from 'zod';
import type { Tags } from '../../../../shared/domain/tags.ts';
import { Ec2Error, invalidCombination, invalidValue } from '../ec2-error.ts';
import { type Launch, newId } from '../instance.ts';
import { Flag, Integer } from '../query.ts';
import type { Region } from '../region.ts';
import { TagList, tagsOf, withinLimit } from '../tag-rules.ts';

const Interface = z.object({
  AssociatePublicIpAddress: Flag.optional(),
  SubnetId: z.string().optional(),
  SecurityGroupId: z.array(z.string()).optional(),
});

/** What RunInstances may be asked for; what is not named here is taken without effect. */
export const LaunchRequest = z.looseObject({
  ImageId: z.string(),
  InstanceType: z.string().default('m1.small'),
  MinCount: Integer,
  MaxCount: Integer,
  ClientToken: z.string().max(64).optional(),
  KeyName: z.string().optional(),
  SubnetId: z.string().optional(),
  SecurityGroupId: z.array(z.string()).optional(),
  Placement: z.object({ AvailabilityZone: z.string().optional() }).optional(),
  NetworkInterface: z.array(Interface).optional(),
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

const largestLaunch = 1000;

/** @throws Ec2Error for what EC2 would not launch. */
export const checkLaunch = (
  { ImageId, InstanceType, MinCount, MaxCount, Placement }: LaunchRequest,
  region: Region,
): void => {
  const zone = Placement?.AvailabilityZone;
  if (!/^ami-[0-9a-f]{8}(?:[0-9a-f]{9})?$/.test(ImageId)) {
    throw new Ec2Error('InvalidAMIID.Malformed', `Invalid id: "${ImageId}" (expecting "ami-...")`);
  }
  if (!/^[a-z0-9-]+\.[a-z0-9-]+$/.test(InstanceType)) {
    throw invalidValue(`Invalid value '${InstanceType}' for InstanceType.`);
  }
  if (MinCount < 1) throw invalidValue(`Value (${MinCount}) for parameter minCount is invalid.`);
  if (MinCount > MaxCount) throw invalidCombination('maxCount must be equal to or greater than minCount');
  if (MaxCount > largestLaunch) {
    throw new Ec2Error('InstanceLimitExceeded', `Launch at most ${largestLaunch} instances at once.`);
  }
  if (zone !== undefined && zone.slice(0, -1) !== region.name) {
    throw invalidValue(`Invalid availability zone: [${zone}]`);
  }
};

export const launchOf = ({ DryRun, ...request }: LaunchRequest, { name }: Region): Launch => {
  const market = request.InstanceMarketOptions;
  const network = request.NetworkInterface?.[0];
  return {
    reservationId: newId('r'),
    imageId: request.ImageId,
    instanceType: request.InstanceType,
    availabilityZone: request.Placement?.AvailabilityZone ?? `${name}a`,
    subnetId: network?.SubnetId ?? request.SubnetId ?? 'subnet-0a1b2c3d4e5f60718',
    securityGroupIds: network?.SecurityGroupId ?? request.SecurityGroupId ?? ['sg-0a1b2c3d4e5f60718'],
    keyName: request.KeyName,
    spot: market?.MarketType === 'spot' ? (market.SpotOptions?.SpotInstanceType ?? 'one-time') : undefined,
    hibernation: request.HibernationOptions?.Configured ?? false,
    publicAddress: network?.AssociatePublicIpAddress ?? false,
    clientToken: request.ClientToken,
    request: JSON.stringify(request),
  };
};

/** The instances' own tags; those of their volumes and other things are taken without effect. */
export const instanceTags = ({ TagSpecification }: LaunchRequest): Tags => {
  const ofInstances = TagSpecification.filter(({ ResourceType }) => ResourceType === 'instance');
  return withinLimit(tagsOf(ofInstances.flatMap(({ Tag }) => Tag)));
};
