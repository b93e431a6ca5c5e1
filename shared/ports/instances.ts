import type { InstanceState, StateReason } from '../domain/instance.ts';
import type { Tags } from '../domain/tags.ts';

export type Instance = {
  readonly instanceId: string;
  readonly account: string;
  readonly state: InstanceState;
  readonly tags: Tags;
  readonly reason: StateReason | undefined;
  /** Milliseconds since 1970. */
  readonly launchedAtMs: number;
};

export type ListQuery = {
  readonly region: string;
  readonly tag: { readonly key: string; readonly value: string };
  readonly token: string | undefined;
  readonly withinMs: number;
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
   * One DescribeInstances by filters, so that an unknown id is merely absent. 1 to 199 ids of one region.
   * @throws UnavailableError where EC2 throttled the call or did not answer in `withinMs`.
   */
  describe(
    region: string,
    instanceIds: readonly string[],
    withinMs: number,
  ): Promise<ReadonlyMap<string, Instance>>;
  /**
   * One page, of at most 1,000, of the region's instances that carry `tag`. A page may be short, or empty, and another one follow.
   * @throws UnavailableError as above.
   */
  list(query: ListQuery): Promise<Page>;
};
