import { familyOf } from '../../shared/service-types/instance-types.ts';
import type { Architecture } from '../../shared/service-types/vm/image-catalogue.ts';
import type { Image, InstanceType, Offerings } from '../../shared/service-types/vm/ports.ts';

/** An image id in EC2's format with the number `n`. */
export const imageId = (n: number): string => `ami-${n.toString(16).padStart(17, '0')}`;

export const image = (more: Partial<Image> = {}): Image => ({
  imageId: imageId(1),
  name: 'an image',
  architecture: 'x86_64',
  platform: 'linux',
  rootDeviceName: '/dev/xvda',
  volumes: [{ deviceName: more.rootDeviceName ?? '/dev/xvda', gib: 8 }],
  ...more,
});

export const instanceType = (
  name: string,
  vcpus: number,
  memoryGib: number,
  more: Partial<InstanceType> = {},
): InstanceType => ({
  instanceType: name,
  vcpus,
  memoryMib: memoryGib * 1024,
  architectures: ['x86_64'],
  spot: true,
  ...more,
});

const arm = { architectures: ['arm64'] as const };

/** Some of the instance types of every region. */
export const defaultTypes: readonly InstanceType[] = [
  instanceType('t3.nano', 2, 0.5),
  instanceType('t3.micro', 2, 1),
  instanceType('t3.small', 2, 2),
  instanceType('t3.medium', 2, 4),
  instanceType('t3.large', 2, 8),
  instanceType('t3.xlarge', 4, 16),
  instanceType('m7i.large', 2, 8),
  instanceType('m7i.xlarge', 4, 16),
  instanceType('m7i.8xlarge', 32, 128),
  instanceType('c7i.large', 2, 4),
  instanceType('c7i.xlarge', 4, 8),
  instanceType('r7i.large', 2, 16, { spot: false }),
  instanceType('t4g.small', 2, 2, arm),
  instanceType('t4g.medium', 2, 4, arm),
];

/** An image, and its owner, `amazon` unless another is given. */
type Published = Image & { readonly owner?: string };

export type ScriptedOfferings = Offerings & {
  /** The newest first. */
  readonly images: Published[];
  readonly types: InstanceType[];
  /** By SSM parameter. */
  readonly parameters: Map<string, string>;
  /** The calls so far, such as `image us-east-1 ami-…`. */
  readonly asked: string[];
};

/** The Offerings port with offerings that the test sets, the same in every region. */
export const scriptedOfferings = (images: Published[] = [image()]): ScriptedOfferings => {
  const types = [...defaultTypes];
  const parameters = new Map<string, string>();
  const asked: string[] = [];
  const isNamed = (
    published: Published,
    named: { owner: string; name: string; architecture: Architecture },
  ) =>
    published.owner === named.owner &&
    published.architecture === named.architecture &&
    new RegExp(`^${named.name.replaceAll('.', '\\.').replaceAll('*', '.*').replaceAll('?', '.')}$`).test(
      published.name,
    );
  return {
    images,
    types,
    parameters,
    asked,
    image: async (region, id, owners) => {
      asked.push(`image ${region} ${id}`);
      return images.find(
        ({ imageId: its, owner = 'amazon' }) => its === id && (owners?.includes(owner) ?? true),
      );
    },
    newestImage: async (region, named) => {
      asked.push(`newestImage ${region} ${named.owner} ${named.name} ${named.architecture}`);
      return images.find((one) => isNamed(one, named));
    },
    imageIdOf: async (region, parameter) => {
      asked.push(`imageIdOf ${region} ${parameter}`);
      return parameters.get(parameter);
    },
    instanceTypes: async (region, families) => {
      asked.push(`instanceTypes ${region} ${families.join(' ')}`);
      return types.filter((type) => families.includes(familyOf(type.instanceType)));
    },
  };
};
