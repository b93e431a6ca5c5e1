import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { defaultInstanceType } from '../instance-types.ts';
import { Flag, Integer } from '../query.ts';
import { TagList, tagsOf, withinLimit } from '../tag-rules.ts';

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

/** What RunInstances may be asked for; what is not named here is taken without effect. */
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
  /** In base64. */
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

/** The subnet and the security groups that were asked for: in the network interface, or beside it. */
export const networkAskedFor = ({ NetworkInterface, SubnetId, SecurityGroupId }: LaunchRequest) => {
  const first = NetworkInterface?.[0];
  return { subnetId: first?.SubnetId ?? SubnetId, groupIds: first?.SecurityGroupId ?? SecurityGroupId };
};

/** The instances' own tags; those of their volumes and other things are taken without effect. */
export const instanceTags = ({ TagSpecification }: LaunchRequest): Tags => {
  const ofInstances = TagSpecification.filter(({ ResourceType }) => ResourceType === 'instance');
  return withinLimit(tagsOf(ofInstances.flatMap(({ Tag }) => Tag)));
};
