import * as z from 'zod';
import type { Tags } from '../../../../shared/core/ownership.ts';
import { action, success } from '../action.ts';
import { applyFilters, type Fields, Filters } from '../filter.ts';
import { Paging, pageOf } from '../page.ts';
import { Ec2Error, invalidValue, items } from '../query-protocol.ts';
import { positionOf } from './describe-instances.ts';

export const TagList = z.array(z.object({ Key: z.string(), Value: z.string().default('') })).default([]);

const maximumTags = 50;

/**
 * Parses the tags of a request.
 * @throws Ec2Error where EC2 refuses them.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions
 */
export const tagsOf = (list: z.infer<typeof TagList>): Tags => {
  for (const { Key, Value } of list) {
    if (Key === '') throw invalidValue('Tag key cannot be empty.');
    if (Key.length > 128) throw invalidValue('Tag key exceeds the maximum length of 128 characters.');
    if (Value.length > 256) throw invalidValue('Tag value exceeds the maximum length of 256 characters.');
    if (/^aws:/i.test(Key)) throw invalidValue("Tag keys starting with 'aws:' are reserved for internal use");
    if (/\p{Cc}/u.test(Key + Value)) throw invalidValue(`The tag '${Key}' has a control character.`);
  }
  const tags = Object.fromEntries(list.map(({ Key, Value }) => [Key, Value]));
  if (Object.keys(tags).length < list.length) throw invalidValue('Duplicate tag keys found in the request.');
  return tags;
};

/** @throws Ec2Error where a resource has more tags than EC2 allows. */
export const withinLimit = (tags: Tags): Tags => {
  if (Object.keys(tags).length <= maximumTags) return tags;
  throw new Ec2Error('TagLimitExceeded', `The maximum number of Tags for a resource has been reached.`);
};

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
      return success;
    };
  },
);

const TagsToDelete = z.array(z.object({ Key: z.string(), Value: z.string().optional() })).optional();

/**
 * Deletes a tag that is given with a value only where it has that value; deletes all tags where none is given.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteTags.html
 */
export const deleteTags = action(
  z.object({ ResourceId: ResourceIds, Tag: TagsToDelete }),
  ({ ResourceId, Tag }, region) => {
    const instances = region.find(ResourceId);
    return () => {
      for (const { id, tags } of instances) region.tag(id, without(tags.value, Tag));
      return success;
    };
  },
);

const without = (tags: Tags, tagsToDelete: z.infer<typeof TagsToDelete>): Tags => {
  if (tagsToDelete === undefined) return {};
  const isUnwanted = ([key, value]: readonly [string, string]) =>
    tagsToDelete.some((tag) => tag.Key === key && (tag.Value === undefined || tag.Value === value));
  return Object.fromEntries(Object.entries(tags).filter((tag) => !isUnwanted(tag)));
};

/** @see https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeTags.html */
export const describeTags = action(Paging.extend({ Filter: Filters }), ({ Filter, ...paging }, region) => {
  const all = [...region.described(region.all())].flatMap((instance) =>
    Object.entries(instance.tags)
      .map(([key, value]) => ({ key, value, instance }))
      .sort((a, b) => (a.key < b.key ? -1 : 1)),
  );
  const { page, nextToken } = pageOf(
    applyFilters(all, Filter, fields),
    paging,
    ({ instance, key }) => `${positionOf(instance)} ${key}`,
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
