import type { Architecture } from '../domain/image-catalogue.ts';

/** An image as far as a launch must know it. */
export type Image = {
  readonly imageId: string;
  readonly name: string;
  readonly architecture: Architecture;
  readonly platform: 'linux' | 'windows';
  readonly rootDeviceName: string;
  /** The volumes it brings, the boot disk first; none may be smaller. */
  readonly volumes: readonly { readonly deviceName: string; readonly gib: number }[];
};

export type InstanceType = {
  readonly instanceType: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architectures: readonly Architecture[];
  /** Whether EC2 sells it as a spot instance too. */
  readonly spot: boolean;
};

/** What EC2 has to offer in a region: slow to change, so what is answered may be minutes old. Errors as those of InstanceActions. */
export type Offerings = {
  /**
   * Undefined where the region has no such image, none that we may see, or, where owners are given, none of theirs. Owners are account ids,
   * `self` or EC2's aliases, such as `amazon`.
   */
  image(region: string, imageId: string, owners?: readonly string[]): Promise<Image | undefined>;
  /** The newest, by the version in its name and then by date, of an owner's available images with such a name; `*` is any characters, `?` any one. */
  newestImage(
    region: string,
    named: { readonly owner: string; readonly name: string; readonly architecture: Architecture },
  ): Promise<Image | undefined>;
  /** What a public SSM parameter holds; undefined where there is no such parameter. */
  imageIdOf(region: string, ssmParameter: string): Promise<string | undefined>;
  /** All virtual ones of these families that the region has, in no particular order. */
  instanceTypes(region: string, families: readonly string[]): Promise<readonly InstanceType[]>;
};
