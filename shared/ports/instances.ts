import type { Tags } from '../core/ownership.ts';
import type { Target } from '../core/target.ts';
import type { InstanceState, StateReason } from '../service-types/vm/kind.ts';

export type Instance = {
  readonly instanceId: string;
  readonly account: string;
  readonly state: InstanceState;
  readonly tags: Tags;
  readonly reason: StateReason | undefined;
  /** Milliseconds since 1970. */
  readonly launchedAtMs: number;
  readonly instanceType?: string | undefined;
  readonly imageId?: string | undefined;
  readonly zone?: string | undefined;
  /** IPv4 in the VPC, or IPv6 where the subnet has no IPv4. */
  readonly privateAddress?: string | undefined;
  readonly publicAddress?: string | undefined;
  readonly isWindows?: boolean | undefined;
  /** The ClientToken of the RunInstances call that launched it; undefined where that call had none. It never changes. */
  readonly clientToken?: string | undefined;
};

export type ListQuery = {
  readonly target: Target;
  readonly tag: { readonly key: string; readonly value: string };
  readonly token: string | undefined;
  readonly timeoutMs: number;
};

export type Page = {
  readonly instances: readonly Instance[];
  /** Where the next page begins; undefined on the last one. */
  readonly nextToken: string | undefined;
};

/** DescribeInstances takes at most 200 filter values. */
export const maximumDescribed = 199;

/** EC2's own view of instances. */
export type Instances = {
  /**
   * The instances with these ids, 1 to 199 of one target; an id that EC2 does not know is absent. One DescribeInstances by filters. Where
   * EC2 answers with an error of its own, as it does while a zone is down, it is asked once more by ids, which works for the other zones.
   * @throws UnavailableError where EC2 throttled the call or did not answer in `timeoutMs`.
   * @throws UpstreamError where EC2 answered both questions with an error of its own.
   */
  describe(
    target: Target,
    instanceIds: readonly string[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, Instance>>;
  /**
   * One page, of at most 1,000, of the target's instances that carry `tag`. A page can be short, or empty, and another one follow.
   * @throws UnavailableError as above.
   */
  list(query: ListQuery): Promise<Page>;
};
