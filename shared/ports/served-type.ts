import { UnreadableError } from '../core/errors.ts';
import type { Kind } from '../core/kind.ts';
import type { Facts } from '../core/record.ts';
import type { DescribedResources } from './described-resources.ts';
import type { Records } from './records.ts';

/**
 * A service type that is served, with the parts of its AWS service that the normaliser and the poller need. Each service type supplies one
 * (shared/service-types/<type>/served.ts).
 */
export type ServedType = {
  readonly kind: Kind;
  /** The AWS service, in messages and in the names of metrics. */
  readonly service: 'EC2' | 'ECS' | 'EKS';
  readonly resources: DescribedResources;
  /** How long the normaliser waits for a `describe`, in milliseconds. */
  readonly describeTimeoutMs: number;
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
