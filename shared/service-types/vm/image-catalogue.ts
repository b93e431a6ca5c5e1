import type { ImageSource, Provisioning } from './provisioning.ts';

/** As EC2 names them: of an image the one it has, of an instance type those it runs. */
export type Architecture = 'x86_64' | 'arm64';

/** Which image is looked for, besides its guest OS. */
export type ImageSearch = {
  readonly architecture: Architecture;
  /** Name of the region's AWS partition, such as `aws` or `aws-cn`. */
  readonly partition: string;
};

/** Undefined: the publisher's account in this partition is not known. */
type Entry = (search: ImageSearch) => ImageSource | undefined;

/** Canonical's and Debian's word for an architecture. */
const debianWord = { x86_64: 'amd64', arm64: 'arm64' } as const;

const canonical =
  (version: string, volume: string): Entry =>
  ({ architecture }) => ({
    ssmParameter: `/aws/service/canonical/ubuntu/server/${version}/stable/current/${debianWord[architecture]}/hvm/${volume}/ami-id`,
    sshUser: 'ubuntu',
  });

type Accounts = ReadonlyMap<string, string>;

/**
 * The accounts of publishers, by partition. A publisher has another account in each partition; one that is not here is not known from
 * the publisher's own documentation, and is never guessed.
 * @see https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
 * @see https://access.redhat.com/solutions/15356
 * @see https://wiki.debian.org/Cloud/AmazonEC2Image
 */
const canonicalAccounts: Accounts = new Map([
  ['aws', '099720109477'],
  ['aws-us-gov', '513442679011'],
  ['aws-cn', '837727238323'],
]);
/** The Fedora project publishes CentOS too. */
const fedoraAccounts: Accounts = new Map([['aws', '125523088429']]);
const debianAccounts: Accounts = new Map([['aws', '136693071363']]);
const redHatAccounts: Accounts = new Map([
  ['aws', '309956199498'],
  ['aws-us-gov', '219670896067'],
  ['aws-cn', '841258680906'],
]);

const newestOf =
  (accounts: Accounts, image: { readonly name: string; readonly sshUser: string }): Entry =>
  ({ partition }) => {
    const owner = accounts.get(partition);
    return owner === undefined ? undefined : { owner, ...image };
  };

/**
 * Where the images of well-known systems come from: the publisher's own SSM public parameter where there is one, else the newest of
 * the publisher's account with such a name. Names tell no architecture: the search does.
 * @see https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-finding-public-parameters.html
 * @see https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
 * @see https://wiki.debian.org/Cloud/AmazonEC2Image
 * @see https://fedoraproject.org/cloud/download
 * @see https://www.centos.org/download/aws-images/
 */
const entries: Readonly<Record<string, Entry>> = {
  'amazon-linux-2023': ({ architecture }) => ({
    ssmParameter: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    sshUser: 'ec2-user',
  }),
  'centos-stream-9': newestOf(fedoraAccounts, { name: 'CentOS Stream 9 *', sshUser: 'ec2-user' }),
  'debian-12': ({ architecture }) => ({
    ssmParameter: `/aws/service/debian/release/12/latest/${debianWord[architecture]}`,
    sshUser: 'admin',
  }),
  // Releases only: nightly builds and Rawhide are named otherwise, and may be newer
  fedora: newestOf(fedoraAccounts, {
    name: 'Fedora-Cloud-Base-AmazonEC2.*-4?-1.*',
    sshUser: 'fedora',
  }),
  // Pay-as-you-go; betas are named RHEL-9.n.0_HVM_BETA
  'rhel-9': newestOf(redHatAccounts, {
    name: 'RHEL-9.*_HVM-*-Hourly2-GP3',
    sshUser: 'ec2-user',
  }),
  'ubuntu-22.04': canonical('22.04', 'ebs-gp2'),
  'ubuntu-24.04': canonical('24.04', 'ebs-gp3'),
  'windows-server-2022': () => ({
    ssmParameter: '/aws/service/ami-windows-latest/Windows_Server-2022-English-Full-Base',
  }),
};

const catalogue: ReadonlyMap<string, Entry> = new Map(Object.entries(entries));

/** What `guest_os.type` may say without further configuration. */
export const catalogued: readonly string[] = [...catalogue.keys()];

/** What a VM runs whose spec says nothing of it: the one system that every region has, free of charge. */
export const defaultGuestOs = 'amazon-linux-2023';

/** Undefined for what the catalogue does not have, or not in this partition. */
export const cataloguedSource = (guestOs: string, search: ImageSearch): ImageSource | undefined =>
  catalogue.get(guestOs)?.(search);

/**
 * Owners of the catalogue's images in a partition. EC2 knows the images of AWS and of verified providers by the alias `amazon`, all others by
 * the account; a publisher that becomes a verified provider changes from one to the other.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
 */
const cataloguedOwners = (partition: string): readonly string[] => [
  'amazon',
  ...[canonicalAccounts, fedoraAccounts, debianAccounts, redHatAccounts].flatMap(
    (accounts) => accounts.get(partition) ?? [],
  ),
];

/**
 * Whose images of a partition may be launched by their id: the owners of the catalogue, of the configured images, and those that are allowed
 * besides.
 */
export const imageOwnersOf = (
  { images, allowedImageOwners }: Pick<Provisioning, 'images' | 'allowedImageOwners'>,
  partition: string,
): readonly string[] => [
  ...new Set([
    ...cataloguedOwners(partition),
    ...Object.values(images).flatMap((source) => ('owner' in source ? [source.owner] : [])),
    ...allowedImageOwners,
  ]),
];

/** Images that the settings name by id: they may be launched whoever owns them. */
export const configuredImageIds = ({ images }: Pick<Provisioning, 'images'>): readonly string[] => [
  ...new Set(Object.values(images).flatMap((source) => ('imageId' in source ? [source.imageId] : []))),
];

/**
 * Orders images of one publisher by the version that their names tell, the older first; 0 where it is the same. `RHEL-9.10.0_HVM-…` is
 * newer than `RHEL-9.9.0_HVM-…`, whichever was published last.
 */
export const compareVersions = (oneName: string, otherName: string): number => {
  const [one, other] = [versionIn(oneName), versionIn(otherName)];
  return firstDifference(Math.max(one.length, other.length), (place) => {
    const [left = [], right = []] = [one[place], other[place]];
    return firstDifference(
      Math.max(left.length, right.length),
      (index) => (left[index] ?? 0) - (right[index] ?? 0),
    );
  });
};

const firstDifference = (length: number, differenceAt: (index: number) => number): number =>
  Array.from({ length }, (_, index) => differenceAt(index)).find((difference) => difference !== 0) ?? 0;

/**
 * The numbers in an image's name up to its date, each as its parts: [[9, 10, 0]] of `RHEL-9.10.0_HVM-20260728-x86_64-0-Hourly2-GP3`, where
 * what follows the date is a build. Digits within a word, such as in `x86_64` or `gp3`, are no version; those after `v` or `sp` are.
 */
const versionIn = (name: string): readonly (readonly number[])[] => {
  const numbers = [...name.matchAll(/(?<![\w.])(?:v|sp)?(\d+(?:\.\d+)*)(?![a-z\d])/gi)].map(
    ([, digits = '']) => digits.split('.').map(Number),
  );
  const date = numbers.findIndex(([first = 0]) => first >= earliestDate);
  return date < 0 ? numbers : numbers.slice(0, date);
};

/** A number this large is a date such as 20260728, or seconds since 1970, and no version. */
const earliestDate = 19_000_101;
