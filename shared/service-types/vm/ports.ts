import type { Architecture } from './image-catalogue.ts';
import type { LaunchPlan, Placement } from './launch.ts';

export type LaunchedInstance = {
  readonly instanceId: string;
  readonly account: string;
  readonly zone: string;
  /** IPv4 in the VPC, or IPv6 where the subnet has no IPv4. */
  readonly privateAddress: string | undefined;
  readonly isWindows: boolean;
  /** Milliseconds since 1970, on EC2's clock. */
  readonly launchedAtMs: number;
};

/** What EC2 is asked to do with instances. What it refuses is one of the errors of core/errors.ts, by its EC2 error code. */
export type InstanceActions = {
  /**
   * Exactly one instance; the same `clientToken` is the same instance, however often it is asked for.
   * @throws CapacityError where EC2 has none left of this type there, so that another placement may do; other ProviderErrors where not.
   */
  run(plan: LaunchPlan, placement: Placement, clientToken: string): Promise<LaunchedInstance>;
  /** The same, but nothing is launched: resolves where it would have been allowed. */
  dryRun(plan: LaunchPlan, placement: Placement): Promise<void>;
  start(region: string, instanceId: string): Promise<void>;
  stop(region: string, instanceId: string): Promise<void>;
  reboot(region: string, instanceId: string): Promise<void>;
  /**
   * Resolves also where the instance is terminated already.
   * @throws NotFoundError where EC2 does not know it, or not yet; FailedPreconditionError where it is protected from termination.
   */
  terminate(region: string, instanceId: string): Promise<void>;
};

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

/** The account's quota of vCPUs for standard instances of one region and market, in vCPUs. */
export type VcpuQuota = {
  /** @throws ProviderError where it cannot be known, most often for want of permission. */
  quota(
    region: string,
    market: 'on-demand' | 'spot',
  ): Promise<{ readonly limit: number; readonly used: number }>;
};
