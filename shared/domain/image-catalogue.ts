import type { ImageSource, Provisioning } from './provisioning.ts';

/** As EC2 names them: of an image the one it has, of an instance type those it runs. */
export type Architecture = 'x86_64' | 'arm64';

type Entry = (architecture: Architecture) => ImageSource;

/** Canonical's and Debian's word for an architecture. */
const debianWord = { x86_64: 'amd64', arm64: 'arm64' } as const;

const canonical =
  (version: string, volume: string): Entry =>
  (architecture) => ({
    ssmParameter: `/aws/service/canonical/ubuntu/server/${version}/stable/current/${debianWord[architecture]}/hvm/${volume}/ami-id`,
    sshUser: 'ubuntu',
  });

const newestOf =
  (source: { owner: string; name: string; sshUser: string }): Entry =>
  () =>
    source;

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
  'amazon-linux-2023': (architecture) => ({
    ssmParameter: `/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-${architecture}`,
    sshUser: 'ec2-user',
  }),
  'centos-stream-9': newestOf({ owner: '125523088429', name: 'CentOS Stream 9 *', sshUser: 'ec2-user' }),
  'debian-12': (architecture) => ({
    ssmParameter: `/aws/service/debian/release/12/latest/${debianWord[architecture]}`,
    sshUser: 'admin',
  }),
  // Releases only: nightly builds and Rawhide are named otherwise, and may be newer
  fedora: newestOf({
    owner: '125523088429',
    name: 'Fedora-Cloud-Base-AmazonEC2.*-4?-1.*',
    sshUser: 'fedora',
  }),
  // Pay-as-you-go; betas are named RHEL-9.n.0_HVM_BETA
  'rhel-9': newestOf({
    owner: '309956199498',
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
export const usualGuestOs = 'amazon-linux-2023';

/** Undefined for what the catalogue does not have. */
export const cataloguedSource = (guestOs: string, architecture: Architecture): ImageSource | undefined =>
  catalogue.get(guestOs)?.(architecture);

/**
 * Owners of the catalogue's images. EC2 knows the images of AWS and of verified providers by the alias `amazon`, all others by the account;
 * a publisher that becomes a verified provider changes from one to the other.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/sharing-amis.html
 */
const cataloguedOwners = [
  'amazon',
  '099720109477', // Canonical
  '125523088429', // the Fedora project, also for CentOS
  '136693071363', // Debian
  '309956199498', // Red Hat
] as const;

/** Whose images may be launched by their id: the owners of the catalogue, of the configured images, and those that are allowed besides. */
export const imageOwnersOf = ({
  images,
  allowedImageOwners,
}: Pick<Provisioning, 'images' | 'allowedImageOwners'>): readonly string[] => [
  ...new Set([
    ...cataloguedOwners,
    ...Object.values(images).flatMap((source) => ('owner' in source ? [source.owner] : [])),
    ...allowedImageOwners,
  ]),
];

/** Images that the settings name by id: they may be launched whoever owns them. */
export const configuredImageIds = ({ images }: Pick<Provisioning, 'images'>): readonly string[] => [
  ...new Set(Object.values(images).flatMap((source) => ('imageId' in source ? [source.imageId] : []))),
];
