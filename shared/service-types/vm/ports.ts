import type { Target } from '../../core/target.ts';
import type { DescribedResource, DescribedResources } from '../../ports/described-resources.ts';
import type { InstanceType as AnyInstanceType } from '../instance-types.ts';
import type { Architecture } from './image-catalogue.ts';
import type { InstanceState } from './kind.ts';
import type { LaunchPlan, Placement } from './launch.ts';

/** An instance as DescribeInstances shows it. */
export type Instance = DescribedResource<InstanceState> & {
  readonly instanceType?: string | undefined;
  readonly imageId?: string | undefined;
  readonly zone?: string | undefined;
};

export type Instances = DescribedResources<Instance>;

export type LaunchedInstance = {
  readonly instanceId: string;
  readonly account: string;
  readonly zone: string;
  /** IPv4 in the VPC, or IPv6 where the subnet has no IPv4. */
  readonly privateAddress: string | undefined;
  readonly isWindows: boolean;
  /** As in BilledFacts (core/outputs.ts). */
  readonly platform?: string | undefined;
  readonly market?: 'spot' | undefined;
  /** Milliseconds since 1970, on EC2's clock. */
  readonly launchedAtMs: number;
};

/** The actions on EC2 instances. Rejects with the error of core/errors.ts that belongs to EC2's error code. */
export type InstanceActions = {
  /**
   * Launches exactly one instance. Idempotent by `clientToken`.
   * @throws CapacityError where EC2 has no capacity for this placement, but may have some for another; other ProviderErrors.
   */
  run(plan: LaunchPlan, placement: Placement, clientToken: string): Promise<LaunchedInstance>;
  /** Resolves where `run` would be allowed. Launches nothing. */
  dryRun(plan: LaunchPlan, placement: Placement): Promise<void>;
  start(target: Target, instanceId: string): Promise<void>;
  stop(target: Target, instanceId: string): Promise<void>;
  reboot(target: Target, instanceId: string): Promise<void>;
  /**
   * Resolves also where the instance is terminated already.
   * @throws NotFoundError where EC2 does not know the instance, or does not know it yet; FailedPreconditionError where it has termination
   * protection.
   */
  terminate(target: Target, instanceId: string): Promise<void>;
};

/** What a launch must know of an image. */
export type Image = {
  readonly imageId: string;
  readonly name: string;
  readonly architecture: Architecture;
  readonly platform: 'linux' | 'windows';
  readonly rootDeviceName: string;
  /** Its volumes, the boot disk first. A launch can make them larger, not smaller. */
  readonly volumes: readonly { readonly deviceName: string; readonly gib: number }[];
};

export type InstanceType = AnyInstanceType & { readonly architectures: readonly Architecture[] };

/** The images and instance types that EC2 offers in a region. Answers may be minutes old. Errors as those of InstanceActions. */
export type Offerings = {
  /**
   * Undefined where the region has no such image, where we may not see it, or where none of the given owners owns it. Owners are account
   * ids, `self` or EC2's aliases, such as `amazon`.
   */
  image(target: Target, imageId: string, owners?: readonly string[]): Promise<Image | undefined>;
  /** The newest of an owner's available images whose name matches, by the version in the name and then by date. `*` matches any characters, `?` one. */
  newestImage(
    target: Target,
    named: { readonly owner: string; readonly name: string; readonly architecture: Architecture },
  ): Promise<Image | undefined>;
  /** The value of a public SSM parameter; undefined where there is no such parameter. */
  imageIdOf(target: Target, ssmParameter: string): Promise<string | undefined>;
  /** The virtual (not bare-metal) types of these families in the region, in no particular order. */
  instanceTypes(target: Target, families: readonly string[]): Promise<readonly InstanceType[]>;
};

/** The account's vCPU quota for standard instances. */
export type VcpuQuota = {
  /** Both in vCPUs. @throws ProviderError where they cannot be read, most often for lack of permission. */
  quota(
    target: Target,
    market: 'on-demand' | 'spot',
  ): Promise<{ readonly limit: number; readonly used: number }>;
};
