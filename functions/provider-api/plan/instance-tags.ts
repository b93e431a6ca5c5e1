import { InvalidArgumentError } from '../../../shared/domain/errors.ts';
import { managedByDcm, type TagKeys, type Tags } from '../../../shared/domain/tags.ts';

type Identity = {
  readonly vmId: string;
  readonly provider: string;
  readonly requestId: string;
  readonly keys: TagKeys;
};

/** Tells by which request an instance came to be. */
const requestIdKey = 'dcm-request-id';

const maximumTags = 50;
const longestValue = 256;

/**
 * The tags of an instance and its disks: the spec's labels, and ours, which no label replaces. The console shows `Name`.
 * @throws InvalidArgumentError for more labels than EC2 has room for beside ours
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
 */
export const instanceTags = (
  { name, labels }: { readonly name: string | undefined; readonly labels: Tags },
  { vmId, provider, requestId, keys }: Identity,
): Tags => {
  const tags: Tags = {
    Name: vmId,
    ...labels,
    ...(name !== undefined && { Name: name }),
    [keys.managedBy]: managedByDcm,
    [keys.instanceId]: vmId,
    [keys.provider]: provider,
    [keys.serviceType]: 'vm',
    [requestIdKey]: requestId.slice(0, longestValue),
  };
  const excess = Object.keys(tags).length - maximumTags;
  if (excess > 0) {
    throw new InvalidArgumentError(
      `metadata.labels: ${excess} too many: EC2 has room for ${maximumTags} tags, of which some are this provider's`,
    );
  }
  return tags;
};
