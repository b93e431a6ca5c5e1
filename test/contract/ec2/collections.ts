import {
  AllocateAddressCommand,
  CreateNetworkInterfaceCommand,
  DeleteNetworkInterfaceCommand,
  DescribeAddressesCommand,
  DescribeNetworkInterfacesCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  GetConsoleOutputCommand,
  paginateDescribeVolumes,
  ReleaseAddressCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { codes, type Subject } from './subject.ts';

/** What the inventory lists besides instances. */
export const collections = ({ ec2, launch, reaches }: Subject) => {
  const volumesOf = async (instanceId: string) => {
    const Filters = [{ Name: 'attachment.instance-id', Values: [instanceId] }];
    return (await ec2().send(new DescribeVolumesCommand({ Filters }))).Volumes ?? [];
  };
  const launched = async (input: Parameters<typeof launch>[0] = {}) => {
    const [id = ''] = await launch(input);
    await reaches([id], 'running');
    return id;
  };

  describe('collections', () => {
    it('have the volumes of an instance, with their tags, sizes and attachments', async () => {
      const Tags = [{ Key: 'dcm-instance-id', Value: 'vm-1' }];
      const id = await launched({
        BlockDeviceMappings: [{ DeviceName: '/dev/sdf', Ebs: { VolumeSize: 12, VolumeType: 'gp3' } }],
        TagSpecifications: [{ ResourceType: 'volume', Tags }],
      });

      const volumes = await volumesOf(id);

      expect(volumes).toHaveLength(2);
      expect(volumes.find(({ Size }) => Size === 12)).toMatchObject({
        ...{ State: 'in-use', VolumeType: 'gp3', Tags },
        Attachments: [{ InstanceId: id, Device: '/dev/sdf', State: 'attached', DeleteOnTermination: true }],
      });
    });

    it('keep a volume that is not deleted with its instance, as available', async () => {
      const id = await launched({
        BlockDeviceMappings: [
          { DeviceName: '/dev/sdf', Ebs: { VolumeSize: 1, DeleteOnTermination: false } },
          { DeviceName: '/dev/sdg', Ebs: { VolumeSize: 1 } },
        ],
      });
      const ids = (await volumesOf(id)).map(({ VolumeId = '' }) => VolumeId);
      await ec2().send(new TerminateInstancesCommand({ InstanceIds: [id] }));
      await reaches([id], 'terminated');

      const Filters = [{ Name: 'volume-id', Values: ids }];
      const { Volumes = [] } = await ec2().send(new DescribeVolumesCommand({ Filters }));

      expect(Volumes.map(({ State, Attachments = [] }) => [State, Attachments])).toEqual([['available', []]]);
    });

    it('come in pages', async () => {
      const ids = await launch({ count: 7 });
      const Filters = [{ Name: 'attachment.instance-id', Values: [...ids] }];

      const sizes: number[] = [];
      for await (const { Volumes = [] } of paginateDescribeVolumes(
        { client: ec2(), pageSize: 5 },
        { Filters },
      ))
        sizes.push(Volumes.length);

      expect(sizes).toEqual([5, 2]);
    });

    it('have the VPCs, of which one is the default', async () => {
      const { Vpcs = [] } = await ec2().send(new DescribeVpcsCommand({}));

      expect(Vpcs.filter(({ IsDefault }) => IsDefault)).toHaveLength(1);
      const unknown = ec2().send(new DescribeVpcsCommand({ VpcIds: ['vpc-0fffffffffffffff0'] }));
      expect(await codes(unknown)).toEqual(['InvalidVpcID.NotFound']);
    });

    it('have the elastic addresses from their allocation to their release', async () => {
      const Tags = [{ Key: 'Name', Value: 'left over' }];
      const { AllocationId } = await ec2().send(
        new AllocateAddressCommand({ TagSpecifications: [{ ResourceType: 'elastic-ip', Tags }] }),
      );
      const shown = async () => {
        const { Addresses = [] } = await ec2().send(new DescribeAddressesCommand({}));
        return Addresses.filter((one) => one.AllocationId === AllocationId);
      };
      const allocated = await shown();
      await ec2().send(new ReleaseAddressCommand({ AllocationId }));

      expect(allocated).toMatchObject([{ Tags, Domain: 'vpc' }]);
      expect(allocated[0]?.AssociationId).toBeUndefined();
      expect(await shown()).toEqual([]);
    });

    it('have a network interface that nothing uses, as available, until it is deleted', async () => {
      const { Subnets = [] } = await ec2().send(new DescribeSubnetsCommand({}));
      const Tags = [{ Key: 'Name', Value: 'left over' }];
      const { NetworkInterface = {} } = await ec2().send(
        new CreateNetworkInterfaceCommand({
          SubnetId: Subnets[0]?.SubnetId,
          TagSpecifications: [{ ResourceType: 'network-interface', Tags }],
        }),
      );
      const { NetworkInterfaceId } = NetworkInterface;
      const free = async () => {
        const Filters = [{ Name: 'status', Values: ['available'] }];
        const found = await ec2().send(new DescribeNetworkInterfacesCommand({ Filters }));
        return (found.NetworkInterfaces ?? []).filter((one) => one.NetworkInterfaceId === NetworkInterfaceId);
      };
      const created = await free();
      await ec2().send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));

      expect(created).toMatchObject([{ TagSet: Tags, Status: 'available', VpcId: Subnets[0]?.VpcId }]);
      expect(await free()).toEqual([]);
      const again = ec2().send(new DeleteNetworkInterfaceCommand({ NetworkInterfaceId }));
      expect(await codes(again)).toEqual(['InvalidNetworkInterfaceID.NotFound']);
    });

    it('have the console of an instance in base64, the latest only on Nitro', async () => {
      const nitro = await launched({ InstanceType: 't3.micro' });
      const xen = await launched({ InstanceType: 'm1.small' });
      const ask = (InstanceId: string, Latest?: boolean) =>
        ec2().send(new GetConsoleOutputCommand({ InstanceId, ...(Latest !== undefined && { Latest }) }));

      const { Output = '' } = await ask(nitro, true);

      expect(Buffer.from(Output, 'base64').toString()).toContain(`${nitro} login: `);
      expect((await ask(xen)).InstanceId).toBe(xen);
      expect(await codes(ask(xen, true))).toEqual(['InvalidParameterCombination']);
    });
  });
};
