import type { ImageSource, Provisioning } from './provisioning.ts';

/** EC2's names of processor architectures. */
export type Architecture = 'x86_64' | 'arm64';

/** What an image must match besides its guest OS. */
export type ImageSearch = {
  readonly architecture: Architecture;
  /** Name of the region's AWS partition, such as `aws` or `aws-cn`. */
  readonly partition: string;
};

/** Undefined: the publisher's account in this partition is not known. */
type Entry = (search: ImageSearch) => ImageSource | undefined;

/** Canonical's and Debian's names of architectures. */
const debianWord = { x86_64: 'amd64', arm64: 'arm64' } as const;

const canonical =
  (version: string, volume: string): Entry =>
  ({ architecture }) => ({
    ssmParameter: `/aws/service/canonical/ubuntu/server/${version}/stable/current/${debianWord[architecture]}/hvm/${volume}/ami-id`,
    sshUser: 'ubuntu',
  });

type Accounts = ReadonlyMap<string, string>;

/**
 * The accounts of publishers, by partition: a publisher has another account in each partition. Only accounts that the publisher documents
 * are listed.
 * @see https://documentation.ubuntu.com/aws/aws-how-to/instances/find-ubuntu-images/
 * @see https://access.redhat.com/solutions/15356
 * @see https://wiki.debian.org/Cloud/AmazonEC2Image
 */
const canonicalAccounts: Accounts = new Map([
  ['aws', '099720109477'],
  ['aws-us-gov', '513442679011'],
  ['aws-cn', '837727238323'],
]);
/** The Fedora project publishes CentOS, too. */
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
 * Where the images of each guest OS come from: the publisher's public SSM parameter where there is one, else the newest image of the
 * publisher's account whose name matches. The names have no architecture; the search adds it.
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
  // Releases only: nightly builds and Rawhide have other names, and may be newer
  fedora: newestOf(fedoraAccounts, {
    name: 'Fedora-Cloud-Base-AmazonEC2.*-4?-1.*',
    sshUser: 'fedora',
  }),
  // Pay-as-you-go. Betas are named RHEL-9.n.0_HVM_BETA
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

/** The values of `guest_os.type` that need no configuration. */
export const catalogued: readonly string[] = [...catalogue.keys()];

/** The guest OS of a VM whose spec has none: free of charge, and available in every region. */
export const defaultGuestOs = 'amazon-linux-2023';

/** Undefined where the catalogue has no such guest OS, or none in this partition. */
export const cataloguedSource = (guestOs: string, search: ImageSearch): ImageSource | undefined =>
  catalogue.get(guestOs)?.(search);

/**
 * Owners of the catalogue's images in a partition. EC2 shows the alias `amazon` as owner of the images of AWS and of verified providers, and
 * the account as owner of all others. A publisher may become a verified provider, so both are listed.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
 */
const cataloguedOwners = (partition: string): readonly string[] => [
  'amazon',
  ...[canonicalAccounts, fedoraAccounts, debianAccounts, redHatAccounts].flatMap(
    (accounts) => accounts.get(partition) ?? [],
  ),
];

/**
 * The owners whose images may be launched by id in a partition: those of the catalogue, of the configured images, and the additionally allowed
 * ones.
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

/** The images that the settings name by id. They may be launched whatever their owner. */
export const configuredImageIds = ({ images }: Pick<Provisioning, 'images'>): readonly string[] => [
  ...new Set(Object.values(images).flatMap((source) => ('imageId' in source ? [source.imageId] : []))),
];

/**
 * Orders images of one publisher by the version in their names, the older first; 0 for equal versions. `RHEL-9.10.0_HVM-…` is newer than
 * `RHEL-9.9.0_HVM-…`, whichever was published last.
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

/** A number this large is a date such as 20260728, or seconds since 1970, not a version. */
const earliestDate = 19_000_101;
