import { InvalidArgumentError } from '../../../shared/domain/errors.ts';
import type { LaunchPlan } from '../../../shared/domain/launch.ts';
import type { Image } from '../../../shared/ports/offerings.ts';
import type { VmSpec } from '../spec/vm-spec.ts';

/** The letters that AWS recommends for data volumes. */
const letters = [...'fghijklmnop'];

/**
 * The boot disk, at least as large as the image, then the image's other disks, then the data disks in the order of the spec.
 * @throws InvalidArgumentError for a boot disk that the image does not fit on, and for more data disks than there are names.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/device_naming.html
 */
export const disksOf = ({ disks }: Pick<VmSpec, 'disks'>, image: Image): LaunchPlan['disks'] => {
  const [root, ...others] = image.volumes;
  const boot = disks.find(({ name }) => name === 'boot');
  const smallest = root?.gib ?? 1;
  if (boot !== undefined && boot.gib < smallest) {
    throw new InvalidArgumentError(
      `storage.disks: the boot disk of ${boot.gib} GiB is too small for image ${image.imageId}: expected at least ${smallest}GB`,
    );
  }
  return [
    { deviceName: image.rootDeviceName, gib: boot?.gib ?? smallest },
    ...others,
    ...dataDisks(
      disks.filter(({ name }) => name !== 'boot'),
      image,
    ),
  ];
};

const dataDisks = (disks: VmSpec['disks'], { platform, volumes }: Image): LaunchPlan['disks'] => {
  const taken = new Set(volumes.map(({ deviceName }) => deviceName.replace(/^.*[sv]d([a-z]).*$/, '$1')));
  const prefix = platform === 'windows' ? 'xvd' : '/dev/sd';
  const free = letters.filter((letter) => !taken.has(letter));
  if (disks.length > free.length) {
    throw new InvalidArgumentError(
      `storage.disks: expected at most ${free.length} disks besides boot, not ${disks.length}`,
    );
  }
  return disks.map(({ gib }, index) => ({ deviceName: `${prefix}${free[index]}`, gib }));
};
