import type { ListedEntry } from '../core/inventory/entry.ts';
import type { BilledFacts } from '../core/outputs.ts';
import type { Tags } from '../core/ownership.ts';
import type { Target } from '../core/target.ts';

/** A resource as its AWS service describes it now. `State`: the states of the service type. */
export type DescribedResource<State extends string = string> = BilledFacts & {
  readonly resourceId: string;
  /** The id of its account, the home account's too. */
  readonly account: string;
  readonly state: State;
  readonly tags: Tags;
  /**
   * The states that the resource is known to have been in, each with its second since 1970, ascending; the current one comes last. Only of
   * kinds whose states are timed by the service.
   */
  readonly stateTimes?: readonly { readonly state: State; readonly at: number }[] | undefined;
  /** Why the service last changed the state. */
  readonly reason: { readonly code?: string | undefined; readonly message?: string | undefined } | undefined;
  /** Milliseconds since 1970. */
  readonly launchedAtMs: number;
  /** IPv4 in the VPC, or IPv6 where the subnet has no IPv4. */
  readonly privateAddress?: string | undefined;
  /** Empty where it has none; undefined: not known. */
  readonly publicAddress?: string | undefined;
  readonly isWindows?: boolean | undefined;
  /** URL of a cluster's Kubernetes API. */
  readonly apiEndpoint?: string | undefined;
  /** The client token of the call that launched it; undefined where that call had none. It never changes. */
  readonly clientToken?: string | undefined;
};

export type ListQuery = {
  readonly target: Target;
  readonly tag: { readonly key: string; readonly value: string };
  readonly token: string | undefined;
  readonly timeoutMs: number;
  /**
   * Whether the page has all resources as entries of the inventory, also those without the tag; then `resources` may have some without the
   * tag, too. @default false
   */
  readonly withEntries?: boolean | undefined;
};

export type Page<Described extends DescribedResource = DescribedResource> = {
  readonly resources: readonly Described[];
  /** Where the next page begins; undefined on the last one. */
  readonly nextToken: string | undefined;
  /** Where they were asked for: the living resources of the page. */
  readonly entries?: readonly ListedEntry[] | undefined;
};

/** The most ids of one `describe`: DescribeInstances takes at most 200 filter values. */
export const maximumDescribed = 199;

/** An AWS service's own view of its resources. */
export type DescribedResources<Described extends DescribedResource = DescribedResource> = {
  /**
   * The resources with these ids, 1 to 199 of one target; an id that the service does not know is absent.
   * @throws UnavailableError where the service throttled the call or did not answer in `timeoutMs`.
   * @throws UpstreamError where the service answered with an error of its own.
   */
  describe(
    target: Target,
    resourceIds: readonly string[],
    timeoutMs: number,
  ): Promise<ReadonlyMap<string, Described>>;
  /**
   * One page, of at most 1,000, of the target's resources that carry `tag`. A page can be short, or empty, and another one follow.
   * @throws UnavailableError as above.
   */
  list(query: ListQuery): Promise<Page<Described>>;
};
