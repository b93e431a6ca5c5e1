import type { RunInstancesCommandInput, TagSpecification } from '@aws-sdk/client-ec2';
import type { LaunchPlan, Placement } from '../domain/launch.ts';

/**
 * A plan as RunInstances takes it. The network interface is spelled out, since only there a public address can be refused; subnet and
 * security groups then belong there too.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
export const runRequest = (
  plan: LaunchPlan,
  { instanceType, subnetId, zone }: Placement,
): RunInstancesCommandInput => ({
  MinCount: 1,
  MaxCount: 1,
  ImageId: plan.imageId,
  // EC2 knows more types than this version of its client
  InstanceType: instanceType as NonNullable<RunInstancesCommandInput['InstanceType']>,
  ...(zone !== undefined && { Placement: { AvailabilityZone: zone } }),
  NetworkInterfaces: [
    {
      DeviceIndex: 0,
      AssociatePublicIpAddress: plan.publicAddress,
      DeleteOnTermination: true,
      ...(subnetId !== undefined && { SubnetId: subnetId }),
      ...(plan.securityGroupIds.length > 0 && { Groups: plan.securityGroupIds }),
    },
  ],
  BlockDeviceMappings: plan.disks.map(({ deviceName, gib }) => ({
    DeviceName: deviceName,
    Ebs: {
      VolumeSize: gib,
      VolumeType: 'gp3',
      Encrypted: true,
      DeleteOnTermination: true,
      ...(plan.kmsKeyId !== undefined && { KmsKeyId: plan.kmsKeyId }),
    },
  })),
  MetadataOptions: { HttpEndpoint: 'enabled', HttpTokens: 'required', HttpPutResponseHopLimit: 1 },
  TagSpecifications: tagged(plan),
  ...(plan.userData !== undefined && { UserData: plan.userData }),
  ...(plan.instanceProfile !== undefined && { IamInstanceProfile: profileOf(plan.instanceProfile) }),
  ...(plan.spot && {
    InstanceMarketOptions: { MarketType: 'spot', SpotOptions: { SpotInstanceType: 'one-time' } },
  }),
});

const tagged = ({ tags }: LaunchPlan): TagSpecification[] => {
  const Tags = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  return [
    { ResourceType: 'instance', Tags },
    { ResourceType: 'volume', Tags },
  ];
};

const profileOf = (profile: string) => (profile.startsWith('arn:') ? { Arn: profile } : { Name: profile });
