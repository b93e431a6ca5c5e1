import { randomUUID } from 'node:crypto';
import type { EC2 } from '@aws-sdk/client-ec2';

/** An instance of the demo, and the VM that it is in DCM. */
export type DemoInstance = {
  readonly name: string;
  readonly instanceId: string;
  /** undefined where the instance is not ours. */
  readonly dcmId: string | undefined;
  /** `listings`: no events report the instance, and listings can miss states that do not last. */
  readonly reportedBy: 'events' | 'listings';
};

type LaunchOptions = {
  readonly name: string;
  readonly spot?: boolean;
  readonly reportedBy?: DemoInstance['reportedBy'];
} & (
  | { readonly owner: 'ours'; readonly provider: string }
  | { readonly owner: 'untagged' }
  | { readonly owner: 'another provider' }
);

/** Launches, stops, starts and terminates instances with the AWS SDK, as any client of EC2 does. Calls `onLaunched` for each instance. */
export const ec2Actions = (ec2: EC2, onLaunched: (instance: DemoInstance) => void) => ({
  async launch(options: LaunchOptions): Promise<DemoInstance> {
    const dcmId = randomUUID();
    const { Instances } = await ec2.runInstances({
      ImageId: 'ami-0123456789abcdef0',
      InstanceType: 't3.micro',
      MinCount: 1,
      MaxCount: 1,
      ...(options.spot && { InstanceMarketOptions: { MarketType: 'spot' } }),
      TagSpecifications: [{ ResourceType: 'instance', Tags: tagsOf(options, dcmId) }],
    });
    const instanceId = Instances?.[0]?.InstanceId ?? '';
    const { name, reportedBy = 'events' } = options;
    const instance = { name, instanceId, dcmId: options.owner === 'ours' ? dcmId : undefined, reportedBy };
    onLaunched(instance);
    return instance;
  },
  stop: (...instances: DemoInstance[]) => ec2.stopInstances({ InstanceIds: idsOf(instances) }),
  start: (...instances: DemoInstance[]) => ec2.startInstances({ InstanceIds: idsOf(instances) }),
  terminate: (...instances: DemoInstance[]) => ec2.terminateInstances({ InstanceIds: idsOf(instances) }),
});

const idsOf = (instances: readonly DemoInstance[]): string[] => instances.map(({ instanceId }) => instanceId);

const tagsOf = (options: LaunchOptions, dcmId: string) => {
  const name = { Key: 'Name', Value: options.name };
  if (options.owner === 'untagged') return [name];
  return [
    name,
    { Key: 'managed-by', Value: 'dcm' },
    { Key: 'dcm-instance-id', Value: dcmId },
    { Key: 'dcm-provider', Value: options.owner === 'ours' ? options.provider : 'another-sp' },
  ];
};
