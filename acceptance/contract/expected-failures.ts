type ExpectedFailure = {
  /** How moto differs from EC2. */
  readonly reason: string;
  /** Full names of the tests that fail because of it. */
  readonly tests: readonly string[];
};

const launching = (...names: string[]) => names.map((name) => `moto: EC2 launching ${name}`);
const options = (...names: string[]) => names.map((name) => `moto: EC2 launch options ${name}`);
const collections = (...names: string[]) => names.map((name) => `moto: EC2 collections ${name}`);

/** The tests of the EC2 contract that moto fails. The run also fails if one of them passes. */
export const expectedFailures: readonly ExpectedFailure[] = [
  {
    reason: 'Transitional states do not last: an instance is pending only in the answer to its launch.',
    tests: [
      ...launching('answers while the instances are pending'),
      'moto: EC2 changing state neither stops what is pending nor starts what is stopping',
    ],
  },
  {
    reason:
      'A repeated client token answers another reservation, also for another request, and launches again after its instance was terminated.',
    tests: [
      ...launching(
        'launches nothing more when the same is asked again',
        'refuses something else with the same client token',
      ),
      ...options('give the same instance to the same client token, and none once that is terminated'),
    ],
  },
  {
    reason: 'MinCount instances are launched, not MaxCount.',
    tests: launching('launches the larger count'),
  },
  {
    reason:
      'Most parameters of a launch are not checked: types and their architecture and zones, disks, hop limits, user data.',
    tests: [
      ...launching('refuses what cannot be launched'),
      ...options(
        'refuse a type that does not exist, in a dry run too',
        'refuse a type of another architecture, in a dry run too',
        'refuse a type that the zone does not have, in a dry run too',
        'refuse a boot disk smaller than its snapshot, in a dry run too',
        'refuse a hop limit out of bounds, in a dry run too',
        'refuse user data beyond 16 KiB, in a dry run too',
      ),
    ],
  },
  {
    reason: 'A dry run succeeds with any parameters.',
    tests: options(
      'refuse an image that is none, in a dry run too',
      'refuse an image that does not exist, in a dry run too',
      'refuse a subnet that does not exist, in a dry run too',
      'refuse a group that does not exist, in a dry run too',
    ),
  },
  {
    reason: 'Instance profiles must exist in its IAM; otherwise it answers with IAM’s error.',
    tests: options(
      'show its volumes, its metadata service and its profile',
      'refuse a profile that is none, in a dry run too',
    ),
  },
  {
    reason: 'The instance does not get the subnet and the groups of its network interface.',
    tests: options('put an instance into the subnet and the security groups of its network interface'),
  },
  {
    reason: 'The launch parameter for termination protection is ignored.',
    tests: options('protect it from termination from the start'),
  },
  {
    reason: 'It has few images, whose root device has no size, and a malformed id counts as not found.',
    tests: [
      'moto: EC2 catalogue has images of an owner by a pattern of their names, of which one is the newest',
      'moto: EC2 catalogue tells where an image boots from, and how large that is at least',
      'moto: EC2 catalogue fails for images by id that are none, or do not exist',
    ],
  },
  {
    reason: 'A terminated instance can be started and stopped.',
    tests: ['moto: EC2 changing state never starts or stops what is terminated'],
  },
  {
    reason: 'DescribeInstanceStatus ignores status filters and pages.',
    tests: [
      'moto: EC2 status checks of healthy instances are not found as impaired',
      'moto: EC2 status checks are told once of every instance, page by page',
    ],
  },
  {
    reason: 'Contradictory or unbounded parameters of listings and tags are accepted.',
    tests: [
      'moto: EC2 listing refuses bad pages, bad filters, and ids together with paging',
      'moto: EC2 status checks refuse ids together with paging, and a page too small',
      'moto: EC2 tagging refuses tags that EC2 would not keep',
    ],
  },
  {
    reason:
      'An instance with block device mappings has no other volumes, and its volumes stay when it is terminated unless the launch says otherwise.',
    tests: collections(
      'have the volumes of an instance, with their tags, sizes and attachments',
      'keep a volume that is not deleted with its instance, as available',
    ),
  },
  {
    reason: 'Volumes do not come in pages.',
    tests: collections('come in pages'),
  },
  {
    reason: 'The console of every instance is the same, also for an instance that is not Nitro.',
    tests: collections('have the console of an instance in base64, the latest only on Nitro'),
  },
];
