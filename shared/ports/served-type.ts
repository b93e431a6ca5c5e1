import { UnreadableError } from '../core/errors.ts';
import type { Kind } from '../core/kind.ts';
import type { Facts } from '../core/record.ts';
import type { Target } from '../core/target.ts';
import type { DescribedResources } from './described-resources.ts';
import type { Records } from './records.ts';

/**
 * Why the newest change of a resource failed, in words. Undefined where it did not, and where it was begun before `sinceMs`, in milliseconds
 * since 1970 on the service's clock. @throws UnavailableError, UpstreamError where the service does not say how the change has ended.
 */
export type ChangeFailure = (
  target: Target,
  resourceId: string,
  sinceMs: number,
) => Promise<string | undefined>;

/**
 * A service type that is served, with the parts of its AWS service that the normaliser and the poller need. Each service type supplies one
 * (shared/service-types/<type>/served.ts).
 */
export type ServedType = {
  readonly kind: Kind;
  /** The AWS service, in messages and in the names of metrics. */
  readonly service: 'EC2' | 'ECS' | 'EKS';
  readonly resources: DescribedResources;
  /** How many pages of the service make one of a listing, of at most 1,000 resources: each of ours costs a polling turn. @default 1 */
  readonly pagesAtOnce?: number;
  /** How long the normaliser waits for a `describe`, in milliseconds. */
  readonly describeTimeoutMs: number;
  /**
   * The state of a resource that is being changed, and where the service says why a change failed that is over: the resource itself does not
   * show it. The normaliser asks once for each change that it has seen, and the poller once an hour. Undefined: there is no such state.
   */
  readonly changes?: { readonly state: string; readonly failure: ChangeFailure } | undefined;
  /** Undefined: DCM ids are not compared with records. */
  readonly records?: Records | undefined;
  /** The facts that a resource itself shows: the record of an adopted one begins with them. */
  readonly factsSeen: (seen: Facts) => Facts;
};

/** @throws UnreadableError where this deployment does not serve the kind. */
export const servedTypeOf = <Type extends ServedType>(
  types: readonly Type[],
  { serviceType }: Pick<Kind, 'serviceType'>,
): Type => {
  const served = types.find(({ kind }) => kind.serviceType === serviceType);
  if (served === undefined)
    throw new UnreadableError(`the service type ${serviceType} is not part of this deployment`);
  return served;
};
