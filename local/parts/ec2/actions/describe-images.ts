import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

type Image = {
  readonly id: string;
  readonly name: string;
  readonly architecture: 'x86_64' | 'arm64';
  readonly owner: string;
  readonly alias?: 'amazon';
};

const amazon = { owner: '137112412989', alias: 'amazon' } as const;
const canonical = { owner: '099720109477' } as const;
const debian = { owner: '136693071363' } as const;
const redHat = { owner: '309956199498' } as const;

/** One public image each of the usual systems, the same in every region; the names are those of real ones. */
const images: readonly Image[] = [
  {
    id: 'ami-0a10000000000a011',
    name: 'al2023-ami-2023.6.20250115.0-kernel-6.1-x86_64',
    architecture: 'x86_64',
    ...amazon,
  },
  {
    id: 'ami-0a10000000000a012',
    name: 'al2023-ami-2023.6.20250115.0-kernel-6.1-arm64',
    architecture: 'arm64',
    ...amazon,
  },
  {
    id: 'ami-0b20000000000b021',
    name: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20250115',
    architecture: 'x86_64',
    ...canonical,
  },
  {
    id: 'ami-0b20000000000b022',
    name: 'ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-arm64-server-20250115',
    architecture: 'arm64',
    ...canonical,
  },
  { id: 'ami-0c30000000000c031', name: 'debian-12-amd64-20250115-1993', architecture: 'x86_64', ...debian },
  {
    id: 'ami-0d40000000000d041',
    name: 'RHEL-9.5.0_HVM-20250115-x86_64-0-Hourly2-GP3',
    architecture: 'x86_64',
    ...redHat,
  },
];

const Request = Paging.extend({
  ImageId: z.array(z.string()).optional(),
  Owner: z.array(z.string()).optional(),
  Filter: Filters,
});

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeImages.html */
export const describeImages = action(Request, ({ ImageId, Owner, Filter, ...paging }) => {
  const unknown = ImageId?.filter((wanted) => !images.some(({ id }) => id === wanted)) ?? [];
  if (unknown.length > 0) {
    throw new Ec2Error('InvalidAMIID.NotFound', `The image id '[${unknown.join(', ')}]' does not exist`);
  }
  const named = images.filter(
    ({ id, owner, alias }) =>
      (ImageId?.includes(id) ?? true) &&
      (Owner?.some((wanted) => wanted === owner || wanted === alias) ?? true),
  );
  const { page, nextToken } = pageOf(filtered(named, Filter, fields), paging, ({ id }) => id);
  return () => ({ imagesSet: items(page.map(imageXml)), nextToken });
});

const imageXml = ({ id, name, architecture, owner, alias }: Image): XmlElements => ({
  imageId: id,
  imageLocation: `${alias ?? owner}/${name}`,
  imageState: 'available',
  imageOwnerId: owner,
  imageOwnerAlias: alias,
  isPublic: true,
  architecture,
  imageType: 'machine',
  platformDetails: 'Linux/UNIX',
  name,
  rootDeviceType: 'ebs',
  rootDeviceName: '/dev/xvda',
  virtualizationType: 'hvm',
  hypervisor: 'xen',
  creationDate: '2025-01-15T00:00:00.000Z',
});

const fields: Fields<Image> = {
  architecture: ({ architecture }) => [architecture],
  'image-id': ({ id }) => [id],
  'is-public': () => ['true'],
  name: ({ name }) => [name],
  'owner-alias': ({ alias }) => [alias],
  'owner-id': ({ owner }) => [owner],
  'root-device-type': () => ['ebs'],
  state: () => ['available'],
  'virtualization-type': () => ['hvm'],
};
