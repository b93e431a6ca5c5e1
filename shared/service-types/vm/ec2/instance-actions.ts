import type {
  RunInstancesCommandInput,
  RunInstancesCommandOutput,
  TagSpecification,
} from '@aws-sdk/client-ec2';
import { codeOf } from '../../../adapters/aws/errors.ts';
import { UpstreamError } from '../../../core/errors.ts';
import { targetOfKey } from '../../../core/target.ts';
import type { LaunchPlan, Placement } from '../launch.ts';
import type { InstanceActions, LaunchedInstance } from '../ports.ts';
import { type Ec2Calls, ec2Calls } from './calls.ts';
import { isWindows, marketOf, platformOf } from './instances.ts';

/** InstanceActions by the EC2 client of AWS's SDK. */
export const ec2InstanceActions = (call: Ec2Calls = ec2Calls()): InstanceActions => ({
  run: async (plan, placement, clientToken) => {
    const what = `run an instance of type ${placement.instanceType}`;
    const input = { ...runRequest(plan, placement), ClientToken: clientToken };
    const answer = await call(targetOfKey(plan.region), what, (ec2, client, options) =>
      client.send(new ec2.RunInstancesCommand(input), options),
    );
    return launchedIn(answer, targetOfKey(plan.region).region);
  },

  dryRun: (plan, placement) =>
    call(
      targetOfKey(plan.region),
      `run an instance of type ${placement.instanceType}`,
      async (ec2, client, options) => {
        const command = new ec2.RunInstancesCommand({ ...runRequest(plan, placement), DryRun: true });
        await client.send(command, options).catch((error: unknown) => {
          if (codeOf(error) !== 'DryRunOperation') throw error; // EC2 answers a successful dry run with an error, too
        });
      },
    ),

  start: (target, instanceId) =>
    call(target, `start instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.StartInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  stop: (target, instanceId) =>
    call(target, `stop instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.StopInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  reboot: (target, instanceId) =>
    call(target, `reboot instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.RebootInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),

  terminate: (target, instanceId) =>
    call(target, `terminate instance ${instanceId}`, async (ec2, client, options) => {
      await client.send(new ec2.TerminateInstancesCommand({ InstanceIds: [instanceId] }), options);
    }),
});

const launchedIn = ({ OwnerId, Instances }: RunInstancesCommandOutput, region: string): LaunchedInstance => {
  const [instance] = Instances ?? [];
  if (OwnerId === undefined || instance?.InstanceId === undefined) {
    throw new UpstreamError(`EC2 in ${region} launched an instance, but did not answer its id`);
  }
  return {
    instanceId: instance.InstanceId,
    account: OwnerId,
    zone: instance.Placement?.AvailabilityZone ?? '',
    privateAddress: instance.PrivateIpAddress || instance.Ipv6Address || undefined,
    isWindows: isWindows(instance),
    platform: platformOf(instance),
    market: marketOf(instance),
    launchedAtMs: instance.LaunchTime?.getTime() ?? 0,
  };
};

/**
 * The input of RunInstances for a placement of a plan. It specifies the network interface, since only there a public address can be declined.
 * Subnet and security groups must then be specified there, too.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html
 */
const runRequest = (
  plan: LaunchPlan,
  { instanceType, subnetId, zone }: Placement,
): RunInstancesCommandInput => ({
  MinCount: 1,
  MaxCount: 1,
  ImageId: plan.imageId,
  // EC2 has more types than this version of its client
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
