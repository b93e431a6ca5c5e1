import * as z from 'zod';
import type { Tags } from '../../../shared/core/ownership.ts';
import { Ec2Error, invalidValue } from './ec2-error.ts';

export const TagList = z.array(z.object({ Key: z.string(), Value: z.string().default('') })).default([]);

const maximumTags = 50;

/**
 * The tags of a request.
 * @throws Ec2Error where EC2 would not take them.
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

/** @throws Ec2Error where a resource would have more tags than EC2 allows. */
export const withinLimit = (tags: Tags): Tags => {
  if (Object.keys(tags).length <= maximumTags) return tags;
  throw new Ec2Error('TagLimitExceeded', `The maximum number of Tags for a resource has been reached.`);
};
