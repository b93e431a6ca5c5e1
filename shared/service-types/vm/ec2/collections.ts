import type { EC2Client } from '@aws-sdk/client-ec2';
import { type AwsAccounts, homeAccountAlone } from '../../../adapters/aws/accounts.ts';
import { readsByTarget } from '../../../adapters/aws/calls.ts';
import { counted, UnavailableError } from '../../../core/errors.ts';
import { type Collection, type ListedEntry, objectOf } from '../../../core/inventory/entry.ts';
import type { Target } from '../../../core/target.ts';
import type { ListedCollections } from '../../../ports/inventory.ts';
import { instanceEntry, tagsOf } from '../inventory.ts';

type Sdk = typeof import('./collections-sdk.ts');
type Asked = { readonly token: string | undefined; readonly abortSignal: AbortSignal };
type Page = { readonly entries: readonly ListedEntry[]; readonly nextToken: string | undefined };
type Lists = (ec2: Sdk, client: EC2Client, asked: Asked) => Promise<Page>;

const largestPage = 1000;
/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeVolumes.html (MaxResults) */
const largestPageOfVolumes = 500;

/** What EC2 shows of a resource besides its id. */
type Further = Omit<Parameters<typeof entry>[1], 'object'>;

const entry = (
  id: string | undefined,
  {
    object,
    name,
    tags,
    state,
    vpcId,
    unused,
  }: {
    readonly object: object;
    readonly name?: string | undefined;
    readonly tags: Readonly<Record<string, string>>;
    readonly state?: string | undefined;
    readonly vpcId?: string | undefined;
    readonly unused?: boolean | undefined;
  },
): ListedEntry[] =>
  id === undefined
    ? []
    : [
        {
          id,
          name: tags.Name ?? name,
          tags,
          state,
          vpcId,
          ...(unused && { unused }),
          object: objectOf(object),
        },
      ];

const entriesOf = <Described extends object>(
  found: readonly Described[] | undefined,
  idOf: (one: Described) => string | undefined,
  furtherOf: (one: Described) => Further,
): readonly ListedEntry[] =>
  (found ?? []).flatMap((one) => entry(idOf(one), { object: one, ...furtherOf(one) }));

const paged = ({ token }: Asked, size = largestPage) => ({
  MaxResults: size,
  ...(token !== undefined && { NextToken: token }),
});

/**
 * The collections that EC2 lists for the inventory alone. Nothing is listed that could be a secret: no user data, no attribute that has to
 * be asked for by itself.
 */
const lists: Partial<Record<Collection, Lists>> = {
  volumes: async (ec2, client, asked) => {
    const command = new ec2.DescribeVolumesCommand(paged(asked, largestPageOfVolumes));
    const { Volumes, NextToken } = await client.send(command, asked);
    const further = ({ Tags, State }: NonNullable<typeof Volumes>[number]) => ({
      ...{ tags: tagsOf(Tags), state: State, unused: State === 'available' },
    });
    return { entries: entriesOf(Volumes, ({ VolumeId }) => VolumeId, further), nextToken: NextToken };
  },
  vpcs: async (ec2, client, asked) => {
    const { Vpcs, NextToken } = await client.send(new ec2.DescribeVpcsCommand(paged(asked)), asked);
    const further = ({ Tags, VpcId }: NonNullable<typeof Vpcs>[number]) => ({
      ...{ tags: tagsOf(Tags), vpcId: VpcId },
    });
    return { entries: entriesOf(Vpcs, ({ VpcId }) => VpcId, further), nextToken: NextToken };
  },
  subnets: async (ec2, client, asked) => {
    const { Subnets, NextToken } = await client.send(new ec2.DescribeSubnetsCommand(paged(asked)), asked);
    const further = ({ Tags, VpcId }: NonNullable<typeof Subnets>[number]) => ({
      ...{ tags: tagsOf(Tags), vpcId: VpcId },
    });
    return { entries: entriesOf(Subnets, ({ SubnetId }) => SubnetId, further), nextToken: NextToken };
  },
  'security-groups': async (ec2, client, asked) => {
    const command = new ec2.DescribeSecurityGroupsCommand(paged(asked));
    const { SecurityGroups, NextToken } = await client.send(command, asked);
    const further = ({ Tags, VpcId, GroupName }: NonNullable<typeof SecurityGroups>[number]) => ({
      ...{ tags: tagsOf(Tags), vpcId: VpcId, name: GroupName },
    });
    return { entries: entriesOf(SecurityGroups, ({ GroupId }) => GroupId, further), nextToken: NextToken };
  },
  images: async (ec2, client, asked) => {
    const command = new ec2.DescribeImagesCommand({ ...paged(asked), Owners: ['self'] });
    const { Images, NextToken } = await client.send(command, asked);
    const further = ({ Tags, Name, State }: NonNullable<typeof Images>[number]) => ({
      ...{ tags: tagsOf(Tags), name: Name, state: State },
    });
    return { entries: entriesOf(Images, ({ ImageId }) => ImageId, further), nextToken: NextToken };
  },
  'network-interfaces': async (ec2, client, asked) => {
    const Filters = [{ Name: 'status', Values: ['available'] }]; // those of instances are in the instances
    const command = new ec2.DescribeNetworkInterfacesCommand({ ...paged(asked), Filters });
    const { NetworkInterfaces, NextToken } = await client.send(command, asked);
    const further = ({ TagSet, VpcId, Status }: NonNullable<typeof NetworkInterfaces>[number]) => ({
      ...{ tags: tagsOf(TagSet), state: Status, vpcId: VpcId, unused: Status === 'available' },
    });
    return {
      entries: entriesOf(NetworkInterfaces, ({ NetworkInterfaceId }) => NetworkInterfaceId, further),
      nextToken: NextToken,
    };
  },
  // EC2 has no pages of addresses
  addresses: async (ec2, client, asked) => {
    const { Addresses } = await client.send(new ec2.DescribeAddressesCommand({}), asked);
    const further = ({ Tags, PublicIp, AssociationId }: NonNullable<typeof Addresses>[number]) => ({
      ...{ tags: tagsOf(Tags), name: PublicIp, unused: AssociationId === undefined },
    });
    const idOf = ({ AllocationId, PublicIp }: NonNullable<typeof Addresses>[number]) =>
      AllocationId ?? PublicIp;
    return { entries: entriesOf(Addresses, idOf, further), nextToken: undefined };
  },
};

/** The collections of EC2 that have listings of their own. */
export const ec2Collections = (
  accounts: AwsAccounts = homeAccountAlone,
): ListedCollections & {
  /** Instances by their ids, at most 199, for events about instances that the inventory does not know. Terminated ones are absent. */
  describeInstances(
    target: Target,
    instanceIds: readonly string[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, ListedEntry>>;
} => {
  const ask = readsByTarget({
    name: 'EC2',
    load: () => import('./collections-sdk.ts'),
    connect: ({ EC2Client: Client }, connection) => new Client(connection),
    accounts,
  });
  return {
    async list({ place: { target, collection }, token, timeoutMs }) {
      const lister = lists[collection];
      if (lister === undefined)
        throw new UnavailableError(`EC2 has no listing of ${collection}; no retry helps`);
      const what = `list a page of ${collection}`;
      const { entries, nextToken } = await ask({ target, timeoutMs, what }, (ec2, client, abortSignal) =>
        lister(ec2, client, { token, abortSignal }),
      );
      return { entries, nextToken: nextToken || undefined, calls: 1 };
    },
    describeInstances: (target, instanceIds, timeoutMs) =>
      ask(
        { target, timeoutMs, what: `describe ${counted(instanceIds.length, 'instance')} for the inventory` },
        async (ec2, client, abortSignal) => {
          const Filters = [{ Name: 'instance-id', Values: [...instanceIds] }];
          const found = new Map<string, ListedEntry>();
          const pages = ec2.paginateDescribeInstances(
            { client, pageSize: largestPage },
            { Filters },
            { abortSignal },
          );
          for await (const { Reservations = [] } of pages)
            for (const described of Reservations.flatMap(({ Instances = [] }) => Instances)) {
              const one = instanceEntry(described);
              if (one !== undefined) found.set(one.id, one);
            }
          return found;
        },
      ),
  };
};
