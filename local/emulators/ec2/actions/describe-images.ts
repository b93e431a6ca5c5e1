import * as z from 'zod';
import { action } from '../action.ts';
import { Ec2Error } from '../ec2-error.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { type Image, imagesOf, snapshotOf } from '../images.ts';
import { Paging, pageOf } from '../page.ts';
import { items, type XmlElements } from '../xml.ts';

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
  const { page, nextToken } = pageOf(filtered(named, Filter, fields), paging, ({ id }) => id);
  return () => ({ imagesSet: items(page.map(imageXml)), nextToken });
});

/** @throws Ec2Error where the id is none, or no image has it. */
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
