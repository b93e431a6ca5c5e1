import { InvalidArgumentError } from '../core/errors.ts';
import type { ServiceType } from '../core/kind.ts';
import { managedByDcm, type TagKeys, type Tags } from '../core/ownership.ts';

type Identity = {
  readonly serviceType: ServiceType;
  /** The AWS service, for errors. */
  readonly service: string;
  readonly dcmId: string;
  readonly provider: string;
  readonly requestId: string;
  readonly keys: TagKeys;
  /** How many tags a service type adds besides. @default 0 */
  readonly further?: number;
};

/** Tag with the id of the request that launched the resource. */
const requestIdKey = 'dcm-request-id';

const maximumTags = 50;
const longestValue = 256;

/**
 * The tags of a resource: the spec's labels, and our tags, which labels do not replace. AWS's console shows `Name`.
 * @throws InvalidArgumentError where labels and our tags are more than ${service} allows.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
 */
export const resourceTags = (
  { name, labels }: { readonly name: string | undefined; readonly labels: Tags },
  { serviceType, service, dcmId, provider, requestId, keys, further = 0 }: Identity,
): Tags => {
  const tags: Tags = {
    Name: dcmId,
    ...labels,
    ...(name !== undefined && { Name: name }),
    [keys.managedBy]: managedByDcm,
    [keys.instanceId]: dcmId,
    [keys.provider]: provider,
    [keys.serviceType]: serviceType,
    [requestIdKey]: requestId.slice(0, longestValue),
  };
  const excess = Object.keys(tags).length + further - maximumTags;
  if (excess > 0) {
    throw new InvalidArgumentError(
      `metadata.labels: ${excess} too many: ${service} allows ${maximumTags} tags, those of this provider included`,
    );
  }
  return tags;
};
