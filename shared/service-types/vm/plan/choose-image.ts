import { partitionOf } from '../../../adapters/aws/regions.ts';
import { InvalidArgumentError, UnprocessableError } from '../../../core/errors.ts';
import type { Target } from '../../../core/target.ts';
import { imageIdPattern } from '../hints.ts';
import {
  type Architecture,
  catalogued,
  cataloguedSource,
  configuredImageIds,
  defaultGuestOs,
  type ImageSearch,
  imageOwnersOf,
} from '../image-catalogue.ts';
import type { Image, Offerings } from '../ports.ts';
import type { ImageSource, Provisioning } from '../provisioning.ts';
import type { VmSpec } from '../spec.ts';

type Parts = { readonly offerings: Offerings; readonly provisioning: Provisioning };

/** `architectures` are those of the instance types that fit, the best first. */
type Where = { readonly target: Target; readonly architectures: readonly Architecture[] };

export type ChosenImage = {
  readonly image: Image;
  /** The default user of the image, for SSH; undefined where it is not known. */
  readonly sshUser: string | undefined;
  readonly chosenBy: string;
};

/**
 * Chooses the image by the first rule that matches: the hint, an `ami-…` id as guest OS, the operator's images, the built-in catalogue. A spec
 * without guest OS gets the catalogue's default.
 * @throws InvalidArgumentError where there is no such image or guest OS; UnprocessableError where the guest OS has no image in this region, and
 * for an image id that the operator does not allow.
 */
export const chooseImage =
  ({ offerings, provisioning }: Parts) =>
  async (
    { guestOs, hints }: Pick<VmSpec, 'guestOs' | 'hints'>,
    { target, architectures }: Where,
  ): Promise<ChosenImage> => {
    const { region } = target;
    const partition = partitionOf(region).name;
    const hint = hints.image_id;
    if (hint !== undefined) return byId(hint, 'provider_hints.aws.image_id');
    const name = (guestOs ?? defaultGuestOs).toLowerCase();
    if (imageIdPattern.test(name)) return byId(name, 'guest_os.type');
    const chosen = await byName(name);
    if (guestOs !== undefined) return chosen;
    return { ...chosen, chosenBy: `${chosen.chosenBy}, as guest_os.type is absent` };

    async function byId(imageId: string, field: string): Promise<ChosenImage> {
      const owners = configuredImageIds(provisioning).includes(imageId)
        ? undefined
        : imageOwnersOf(provisioning, partition);
      const image = await offerings.image(target, imageId, owners);
      if (image === undefined) throw await refusal(imageId, field);
      return { image, sshUser: undefined, chosenBy: field };
    }

    async function refusal(imageId: string, field: string): Promise<Error> {
      if ((await offerings.image(target, imageId)) === undefined)
        return new InvalidArgumentError(`${field}: there is no image ${imageId} in ${region}`);
      const owners = imageOwnersOf(provisioning, partition).join(', ');
      return new UnprocessableError(
        `${field}: this provider does not allow ${imageId}, only images of the owners ${owners}, and images that the settings name by id`,
      );
    }

    async function byName(name: string): Promise<ChosenImage> {
      for (const architecture of architectures) {
        const { source, list } = sourceOf(name, { architecture, partition }, provisioning);
        const image = await find(source, architecture);
        if (image !== undefined)
          return { image, sshUser: source.sshUser, chosenBy: `${list}: ${name} (${inWords(source)})` };
      }
      throw new UnprocessableError(
        `guest_os.type: there is no image of ${name} for ${architectures.join(' or ')} in ${region}`,
      );
    }

    async function find(source: ImageSource, architecture: Architecture): Promise<Image | undefined> {
      if ('owner' in source) {
        const { owner, name } = source;
        return offerings.newestImage(target, { owner, name, architecture });
      }
      const imageId =
        'imageId' in source ? source.imageId : await offerings.imageIdOf(target, source.ssmParameter);
      return imageId === undefined ? undefined : offerings.image(target, imageId);
    }
  };

const sourceOf = (
  guestOs: string,
  search: ImageSearch,
  { images }: Pick<Provisioning, 'images'>,
): { readonly source: ImageSource; readonly list: 'configured' | 'catalogue' } => {
  const configured = Object.entries(images).find(([name]) => name.toLowerCase() === guestOs);
  if (configured !== undefined) return { source: configured[1], list: 'configured' };
  const source = cataloguedSource(guestOs, search);
  if (source !== undefined) return { source, list: 'catalogue' };
  if (catalogued.includes(guestOs)) {
    throw new UnprocessableError(
      `guest_os.type: this provider does not know which account publishes ${guestOs} in partition ${search.partition}; the operator can configure an image in provisioning.images`,
    );
  }
  const known = [...new Set([...Object.keys(images), ...catalogued])].sort();
  const given = JSON.stringify(guestOs.slice(0, 64));
  throw new InvalidArgumentError(
    `guest_os.type: expected an ami-… id or one of ${known.join(', ')}, not ${given}`,
  );
};

const inWords = (source: ImageSource): string => {
  if ('owner' in source) return `newest of owner ${source.owner} named ${source.name}`;
  return 'imageId' in source ? source.imageId : `SSM parameter ${source.ssmParameter}`;
};
