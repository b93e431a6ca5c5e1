import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { action, done } from '../action.ts';
import { type Fields, Filters, filtered } from '../filter.ts';
import { placeOf } from '../listed-instances.ts';
import { Paging, pageOf } from '../page.ts';
import { TagList, tagsOf, withinLimit } from '../tag-rules.ts';
import { items } from '../xml.ts';

const ResourceIds = z.array(z.string()).min(1).max(1000);

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateTags.html */
export const createTags = action(
  z.object({ ResourceId: ResourceIds, Tag: TagList }),
  ({ ResourceId, Tag }, region) => {
    const tags = tagsOf(Tag);
    const retagged = region
      .find(ResourceId)
      .map((instance) => ({ id: instance.id, tags: withinLimit({ ...instance.tags.value, ...tags }) }));
    return () => {
      for (const { id, tags } of retagged) region.tag(id, tags);
      return done;
    };
  },
);

const Unwanted = z.array(z.object({ Key: z.string(), Value: z.string().optional() })).optional();

/**
 * A tag given with a value goes only where it has that value; without any tag, all go.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
 */
export const deleteTags = action(
  z.object({ ResourceId: ResourceIds, Tag: Unwanted }),
  ({ ResourceId, Tag }, region) => {
    const instances = region.find(ResourceId);
    return () => {
      for (const { id, tags } of instances) region.tag(id, without(tags.value, Tag));
      return done;
    };
  },
);

const without = (tags: Tags, unwanted: z.infer<typeof Unwanted>): Tags => {
  if (unwanted === undefined) return {};
  const isUnwanted = ([key, value]: readonly [string, string]) =>
    unwanted.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value));
  return Object.fromEntries(Object.entries(tags).filter((tag) => !isUnwanted(tag)));
};

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html */
export const describeTags = action(Paging.extend({ Filter: Filters }), ({ Filter, ...paging }, region) => {
  const all = [...region.seen(region.all())].flatMap((instance) =>
    Object.entries(instance.tags)
      .map(([key, value]) => ({ key, value, instance }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
  const { page, nextToken } = pageOf(
    filtered(all, Filter, fields),
    paging,
    ({ instance, key }) => `${placeOf(instance)} ${key}`,
  );
  const tagXml = ({ key, value, instance }: OneTag) => ({
    resourceId: instance.id,
    resourceType: 'instance',
    key,
    value,
  });
  return () => ({ tagSet: items(page.map(tagXml)), nextToken });
});

type OneTag = { readonly key: string; readonly value: string; readonly instance: { readonly id: string } };

const fields: Fields<OneTag> = {
  key: ({ key }) => [key],
  'resource-id': ({ instance }) => [instance.id],
  'resource-type': () => ['instance'],
  'tag:': ({ key, value }, wanted) => (key === wanted ? [value] : []),
  value: ({ value }) => [value],
};
