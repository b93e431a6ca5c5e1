import * as z from 'zod';
import { action } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, items, type XmlElements } from '../query-protocol.ts';

/** A public image, or one of the account's own. */
export type Image = {
  readonly id: string;
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly owner: string;
  readonly alias: 'amazon' | undefined;
  readonly windows: boolean;
  readonly rootDevice: '/dev/xvda' | '/dev/sda1';
  /** Size of the root volume's snapshot; a root volume cannot be smaller. */
  readonly snapshotGib: number;
  readonly createdOn: string;
};

/** An image of which its owner publishes new versions. */
type Series = Omit<Image, 'name' | 'createdOn' | 'id'> & {
  /** Id of the newest version. */
  readonly id: string;
  readonly named: (date: string) => string;
  /** SSM's public parameters for the newest version. */
  readonly parameters: readonly string[];
};

const amazon = { owner: '137112412989', alias: 'amazon', windows: false } as const;
const canonical = { owner: '099720109477', alias: undefined, windows: false } as const;
const debian = { owner: '136693071363', alias: undefined, windows: false } as const;
const redHat = { owner: '309956199498', alias: undefined, windows: false } as const;
/** The account of CentOS too. */
const fedoraProject = { owner: '125523088429', alias: undefined, windows: false } as const;
const microsoft = { owner: '801119661308', alias: 'amazon', windows: true } as const;
const [xvda8, sda8] = [
  { rootDevice: '/dev/xvda', snapshotGib: 8 },
  { rootDevice: '/dev/sda1', snapshotGib: 8 },
] as const;

const amazonLinux = (architecture: Image['architecture'], id: string): Series => ({
  ...{ id, architecture, ...amazon, ...xvda8 },
  named: (date) => `al2023-ami-2023.6.${date}.0-kernel-6.1-${architecture}`,
  parameters: ['default', '6.1'].map(
    (kernel) => `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-${kernel}-${architecture}`,
  ),
});

const ubuntu = (
  [word, version, volume]: readonly [string, string, string],
  architecture: Image['architecture'],
  id: string,
): Series => {
  const cpu = architecture === 'arm64' ? 'arm64' : 'amd64';
  const place = `/aws/service/canonical/ubuntu/server/${version}/stable/current/${cpu}/hvm/ebs-${volume}/ami-id`;
  return {
    ...{ id, architecture, ...canonical, ...sda8 },
    named: (date) =>
      `ubuntu/images/hvm-ssd${volume === 'gp3' ? '-gp3' : ''}/ubuntu-${word}-${version}-${cpu}-server-${date}`,
    parameters: [place],
  };
};

const windows = (year: string, id: string): Series => ({
  ...{ id, architecture: 'x86_64', ...microsoft, rootDevice: '/dev/sda1', snapshotGib: 30 },
  named: (date) =>
    `Windows_Server-${year}-English-Full-Base-${date.slice(0, 4)}.${date.slice(4, 6)}.${date.slice(6)}`,
  parameters: [`/aws/service/ami-windows-latest/Windows_Server-${year}-English-Full-Base`],
});

const noble = ['noble', '24.04', 'gp3'] as const;
const jammy = ['jammy', '22.04', 'gp2'] as const;

const series: readonly Series[] = [
  amazonLinux('x86_64', 'ami-0a10000000000a011'),
  amazonLinux('arm64', 'ami-0a10000000000a012'),
  ubuntu(noble, 'x86_64', 'ami-0b20000000000b021'),
  ubuntu(noble, 'arm64', 'ami-0b20000000000b022'),
  ubuntu(jammy, 'x86_64', 'ami-0b20000000000b031'),
  ubuntu(jammy, 'arm64', 'ami-0b20000000000b032'),
  {
    ...{ id: 'ami-0c30000000000c031', architecture: 'x86_64', ...debian, ...xvda8 },
    named: (date) => `debian-12-amd64-${date}-1993`,
    parameters: ['/aws/service/debian/release/12/latest/amd64'],
  },
  {
    ...{ id: 'ami-0c30000000000c032', architecture: 'arm64', ...debian, ...xvda8 },
    named: (date) => `debian-12-arm64-${date}-1993`,
    parameters: ['/aws/service/debian/release/12/latest/arm64'],
  },
  {
    ...{ id: 'ami-0d40000000000d041', architecture: 'x86_64', ...redHat },
    ...{ rootDevice: '/dev/sda1', snapshotGib: 10 },
    named: (date) => `RHEL-9.5.0_HVM-${date}-x86_64-0-Hourly2-GP3`,
    parameters: [],
  },
  {
    ...{ id: 'ami-0d40000000000d051', architecture: 'x86_64', ...fedoraProject },
    ...{ rootDevice: '/dev/sda1', snapshotGib: 5 },
    named: (date) => `Fedora-Cloud-Base-AmazonEC2.x86_64-41-1.${Number(date.slice(2, 4)) - 20}`,
    parameters: [],
  },
  {
    ...{ id: 'ami-0d40000000000d061', architecture: 'x86_64', ...fedoraProject },
    ...{ rootDevice: '/dev/sda1', snapshotGib: 10 },
    named: (date) => `CentOS Stream 9 x86_64 ${date}`,
    parameters: [],
  },
  windows('2022', 'ami-0e50000000000e051'),
  windows('2019', 'ami-0e50000000000e052'),
];

/** Newest first. */
const dates = ['20250115', '20241015', '20240709'] as const;

const published = ({ named, parameters: _, id, ...rest }: Series): Image[] =>
  dates.map((date, age) => ({
    ...rest,
    id: `${id.slice(0, 7)}${age}${id.slice(8)}`,
    name: named(date),
    createdOn: `${date.slice(0, 4)}-${date.slice(4, 6)}-${date.slice(6)}`,
  }));

/** A private image of the account, which demos and tests launch. */
const own = (account: string): Image => ({
  ...{ id: 'ami-0123456789abcdef0', name: 'golden-image', architecture: 'x86_64' },
  ...{ owner: account, alias: undefined, windows: false, ...xvda8, createdOn: '2025-02-01' },
});

const publicImages: readonly Image[] = series.flatMap(published);

/** Images of common operating systems, the same in every region, with names in the form of real ones. */
export const imagesOf = (account: string): readonly Image[] =>
  [...publicImages, own(account)].sort((a, b) => (a.id < b.id ? -1 : 1));

/** The id of the newest image, by the name of SSM's public parameter. */
export const imageParameters: ReadonlyMap<string, string> = new Map(
  series.flatMap(({ parameters, id }) => parameters.map((name) => [name, id] as const)),
);

export const snapshotOf = ({ id }: Pick<Image, 'id'>): string => `snap-${id.slice(4)}`;

const Request = Paging.extend({
  ImageId: z.array(z.string()).optional(),
  Owner: z.array(z.string()).optional(),
  Filter: Filters,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
export const describeImages = action(Request, ({ ImageId, Owner, Filter, ...paging }, { account }) => {
  const images = imagesOf(account.id);
  for (const id of ImageId ?? []) imageWith(id, images);
  const isWanted = ({ id }: Image) => ImageId?.includes(id) ?? true;
  const isOf = ({ owner, alias }: Image) =>
    Owner?.some((wanted) => wanted === (owner === account.id ? 'self' : alias) || wanted === owner) ?? true;
  const named = images.filter((image) => isWanted(image) && isOf(image));
  const { page, nextToken } = pageOf(applyFilters(named, Filter, fields), paging, ({ id }) => id);
  return () => ({ imagesSet: items(page.map(imageXml)), nextToken });
});

/** @throws Ec2Error for a malformed or unknown id. */
export const imageWith = (id: string, images: readonly Image[]): Image => {
  if (!/^ami-[0-9a-f]{8}(?:[0-9a-f]{9})?$/.test(id)) {
    throw new Ec2Error('InvalidAMIID.Malformed', `Invalid id: "${id}" (expecting "ami-...")`);
  }
  const image = images.find((one) => one.id === id);
  if (image) return image;
  throw new Ec2Error('InvalidAMIID.NotFound', `The image id '[${id}]' does not exist`);
};

const imageXml = (image: Image): XmlElements => {
  const { id, name, architecture, owner, alias, windows, rootDevice, createdOn } = image;
  return {
    imageId: id,
    imageLocation: `${alias ?? owner}/${name}`,
    imageState: 'available',
    imageOwnerId: owner,
    imageOwnerAlias: alias,
    isPublic: true,
    architecture,
    imageType: 'machine',
    platform: windows ? 'windows' : undefined,
    platformDetails: windows ? 'Windows' : 'Linux/UNIX',
    usageOperation: windows ? 'RunInstances:0002' : 'RunInstances',
    name,
    description: name,
    rootDeviceType: 'ebs',
    rootDeviceName: rootDevice,
    blockDeviceMapping: items([rootVolumeXml(image)]),
    virtualizationType: 'hvm',
    hypervisor: 'xen',
    enaSupport: true,
    creationDate: `${createdOn}T00:00:00.000Z`,
  };
};

const rootVolumeXml = (image: Image): XmlElements => ({
  deviceName: image.rootDevice,
  ebs: {
    snapshotId: snapshotOf(image),
    volumeSize: image.snapshotGib,
    volumeType: 'gp3',
    deleteOnTermination: true,
    encrypted: false,
  },
});

const fields: Fields<Image> = {
  architecture: ({ architecture }) => [architecture],
  'creation-date': ({ createdOn }) => [`${createdOn}T00:00:00.000Z`],
  'ena-support': () => ['true'],
  'image-id': ({ id }) => [id],
  'image-type': () => ['machine'],
  'is-public': () => ['true'],
  name: ({ name }) => [name],
  'owner-alias': ({ alias }) => [alias],
  'owner-id': ({ owner }) => [owner],
  platform: ({ windows }) => [windows ? 'windows' : undefined],
  'root-device-name': ({ rootDevice }) => [rootDevice],
  'root-device-type': () => ['ebs'],
  state: () => ['available'],
  'virtualization-type': () => ['hvm'],
};
