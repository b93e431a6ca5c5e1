import type { Tags } from '../../../shared/core/ownership.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { type SecurityGroup, type Subnet, securityGroupWith, subnetWith } from './actions/network.ts';
import { newId } from './instance.ts';
import { Ec2Error } from './query-protocol.ts';

/** A network interface that a service created for a resource of its own, such as a task, or that somebody created and attached to nothing. */
export type NetworkInterface = {
  readonly id: string;
  readonly subnet: Subnet;
  readonly securityGroupIds: readonly string[];
  readonly description: string;
  readonly macAddress: string;
  readonly privateIp: string;
  readonly publicIp: string | undefined;
  /** Whether something uses it. */
  readonly isAttached: boolean;
  readonly tags: Tags;
  readonly createdAtMs: number;
};

export type NetworkInterfaceRequest = {
  readonly subnetId: string;
  /** @default the subnet's default security group */
  readonly securityGroupIds?: readonly string[];
  readonly publicAddress: boolean;
  readonly description: string;
  /** @default true */
  readonly isAttached?: boolean;
  /** @default none */
  readonly tags?: Tags;
};

/** An elastic IP address that the account has allocated. No instance of the emulator uses one. */
export type ElasticAddress = {
  readonly allocationId: string;
  readonly publicIp: string;
  readonly tags: Tags;
};

/** The subnets and security groups of a region, and the network interfaces but for those of instances. */
export type RegionNetwork = {
  /** @throws Ec2Error for an unknown id. */
  subnet(id: string): Subnet;
  /** @throws Ec2Error for an unknown id. */
  securityGroup(id: string): SecurityGroup;
  interfaces(): Iterable<NetworkInterface>;
  /** @throws Ec2Error for an unknown subnet or group, and for a subnet without a free address. */
  createInterface(request: NetworkInterfaceRequest): NetworkInterface;
  /** Does nothing for an unknown id. */
  deleteInterface(id: string): void;
  elasticAddresses(): Iterable<ElasticAddress>;
  allocateAddress(tags: Tags): ElasticAddress;
  /** @returns whether there was one. */
  releaseAddress(allocationId: string): boolean;
};

type Options = {
  readonly region: string;
  readonly clock: Clock;
  readonly newPublicIp: () => string;
};

export const openNetwork = ({ region, clock, newPublicIp }: Options): RegionNetwork => {
  const interfaces = new Map<string, NetworkInterface>();
  const addresses = new Set<string>();
  const elastic = new Map<string, ElasticAddress>();
  const free = ({ id, cidr }: Subnet): string => {
    for (const address of addressesFromTheEnd(cidr)) if (!addresses.has(address)) return address;
    throw new Ec2Error(
      'InsufficientFreeAddressesInSubnet',
      `The specified subnet ${id} does not have enough free addresses to satisfy the request.`,
    );
  };
  return {
    subnet: (id) => subnetWith(id, region),
    securityGroup: securityGroupWith,
    interfaces: () => interfaces.values(),
    createInterface: ({
      subnetId,
      securityGroupIds = [],
      publicAddress,
      description,
      isAttached = true,
      tags = {},
    }) => {
      const subnet = subnetWith(subnetId, region);
      for (const id of securityGroupIds) securityGroupWith(id);
      const privateIp = free(subnet);
      const created: NetworkInterface = {
        ...{ id: newId('eni'), subnet, securityGroupIds, description, privateIp, isAttached, tags },
        macAddress: `0a:${privateIp.split('.').map(hexadecimal).join(':')}:01`,
        publicIp: publicAddress ? newPublicIp() : undefined,
        createdAtMs: clock(),
      };
      addresses.add(privateIp);
      interfaces.set(created.id, created);
      return created;
    },
    deleteInterface: (id) => {
      addresses.delete(interfaces.get(id)?.privateIp ?? '');
      interfaces.delete(id);
    },
    elasticAddresses: () => elastic.values(),
    allocateAddress: (tags) => {
      const allocated = { allocationId: newId('eipalloc'), publicIp: newPublicIp(), tags };
      elastic.set(allocated.allocationId, allocated);
      return allocated;
    },
    releaseAddress: (allocationId) => elastic.delete(allocationId),
  };
};

const hexadecimal = (part: string): string => Number(part).toString(16).padStart(2, '0');

/** EC2 reserves the first four addresses of a subnet and the last one. Instances get addresses from the beginning. */
function* addressesFromTheEnd(cidr: string): Generator<string> {
  const [network = '', bits] = cidr.split('/');
  const first = network.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  for (let host = 2 ** (32 - Number(bits)) - 2; host >= 4; host -= 1) {
    const address = first + host;
    yield [address >>> 24, (address >>> 16) & 255, (address >>> 8) & 255, address & 255].join('.');
  }
}
