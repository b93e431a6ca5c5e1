export type InstanceType = {
  readonly name: string;
  readonly vcpus: number;
  readonly memoryMib: number;
  readonly architecture: 'x86_64' | 'arm64';
  readonly currentGeneration: boolean;
};

type Sizes = Readonly<Record<string, readonly [vcpus: number, memoryGib: number]>>;

const family = (prefix: string, architecture: InstanceType['architecture'], sizes: Sizes): InstanceType[] =>
  Object.entries(sizes).map(([size, [vcpus, memoryGib]]) => ({
    name: `${prefix}.${size}`,
    vcpus,
    memoryMib: memoryGib * 1024,
    architecture,
    currentGeneration: prefix !== 'm1',
  }));

const burstable: Sizes = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  '2xlarge': [8, 32],
};

const vcpusBySize = { large: 2, xlarge: 4, '2xlarge': 8, '4xlarge': 16, '8xlarge': 32 } as const;
const largeSizes = { '12xlarge': 48, '16xlarge': 64, '24xlarge': 96 } as const;

/** The usual sizes, with so much memory for each vCPU. */
const sized = (gibPerVcpu: number, more: Readonly<Record<string, number>> = {}): Sizes =>
  Object.fromEntries(
    Object.entries({ ...vcpusBySize, ...largeSizes, ...more }).map(([size, vcpus]) => [
      size,
      [vcpus, vcpus * gibPerVcpu] as const,
    ]),
  );

const seventh = { '48xlarge': 192 };
const c5: Sizes = {
  ...{ large: [2, 4], xlarge: [4, 8], '2xlarge': [8, 16], '4xlarge': [16, 32], '9xlarge': [36, 72] },
  ...{ '12xlarge': [48, 96], '18xlarge': [72, 144], '24xlarge': [96, 192] },
};

/**
 * Some of those that every region has, by name, with their true sizes.
 * @see https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-types.html
 */
export const instanceTypes: readonly InstanceType[] = [
  ...family('c5', 'x86_64', c5),
  ...family('c7i', 'x86_64', sized(2, seventh)),
  ...family('m1', 'x86_64', { small: [1, 1.7] }),
  ...family('m5', 'x86_64', sized(4)),
  ...family('m7i', 'x86_64', sized(4, seventh)),
  ...family('r5', 'x86_64', sized(8)),
  ...family('r7i', 'x86_64', sized(8, seventh)),
  ...family('t3', 'x86_64', burstable),
  ...family('t3a', 'x86_64', burstable),
  ...family('t4g', 'arm64', burstable),
].sort((a, b) => (a.name < b.name ? -1 : 1));

/** What a launch without a type gets. */
export const defaultInstanceType = 'm1.small';

/** us-east-1e has old hardware only, as in reality. */
export const isOffered = ({ currentGeneration }: InstanceType, zone: string): boolean =>
  zone !== 'us-east-1e' || !currentGeneration;
