import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { clusterArn, nodeGroupArn } from '../cluster.ts';
import type { Region } from '../region.ts';
import { EksError, operation, QueryList } from '../rest-json.ts';

/** @see https://docs.aws.amazon.com/eks/latest/userguide/eks-using-tags.html */
export const EksTags = z
  .record(
    z
      .string()
      .min(1)
      .max(128)
      .regex(/^(?!aws:)/i, 'aws: is reserved'),
    z.string().max(256),
  )
  .refine((tags) => Object.keys(tags).length <= 50, 'expected at most 50 tags');

/** The tags of a cluster or node group, and how to replace them. @throws EksError for an unknown ARN. */
const tagged = (arn: string, region: Region): { readonly tags: Tags; replace(tags: Tags): void } => {
  for (const cluster of region.found()) {
    if (clusterArn(cluster) === arn) {
      return { tags: cluster.tags, replace: (tags) => void region.change(cluster.name, { tags }) };
    }
    for (const nodeGroup of region.foundNodeGroups(cluster)) {
      if (nodeGroupArn(cluster, nodeGroup) !== arn) continue;
      const replace = (tags: Tags) => region.changeNodeGroup(cluster.name, nodeGroup.name, { tags });
      return { tags: nodeGroup.tags, replace };
    }
  }
  throw new EksError('ResourceNotFoundException', `No resource found for ARN: ${arn}`);
};

const Arn = z.object({ resourceArn: z.string() });

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_ListTagsForResource.html */
export const listTagsForResource = operation(Arn, ({ resourceArn }, region) => ({
  tags: tagged(resourceArn, region).tags,
}));

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_TagResource.html */
export const tagResource = operation(Arn.extend({ tags: EksTags }), ({ resourceArn, tags }, region) => {
  const { tags: before, replace } = tagged(resourceArn, region);
  const together = EksTags.safeParse({ ...before, ...tags });
  if (!together.success)
    throw new EksError('InvalidParameterException', 'A resource can have at most 50 tags.');
  replace(together.data);
  return {};
});

/** @see https://docs.aws.amazon.com/eks/latest/APIReference/API_UntagResource.html */
export const untagResource = operation(
  Arn.extend({ tagKeys: QueryList }),
  ({ resourceArn, tagKeys }, region) => {
    const { tags, replace } = tagged(resourceArn, region);
    replace(Object.fromEntries(Object.entries(tags).filter(([key]) => !tagKeys.includes(key))));
    return {};
  },
);
