import type { LaunchPlan, Placement } from '../domain/launch.ts';

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

/** What EC2 is asked to do with instances. What it refuses is one of the errors of domain/errors.ts, by its EC2 error code. */
export type InstanceActions = {
  /**
   * Exactly one instance; the same `clientToken` is the same instance, however often it is asked for.
   * @throws CapacityError where EC2 has none left of this type there, so that another placement may do; other ProviderErrors where not.
   */
  run(plan: LaunchPlan, placement: Placement, clientToken: string): Promise<LaunchedInstance>;
  /** The same, but nothing is launched: resolves where it would have been allowed. */
  rehearse(plan: LaunchPlan, placement: Placement): Promise<void>;
  start(region: string, instanceId: string): Promise<void>;
  stop(region: string, instanceId: string): Promise<void>;
  reboot(region: string, instanceId: string): Promise<void>;
  /**
   * Resolves also where the instance is terminated already.
   * @throws NotFoundError where EC2 does not know it, or not yet; FailedPreconditionError where it is protected from termination.
   */
  terminate(region: string, instanceId: string): Promise<void>;
};
