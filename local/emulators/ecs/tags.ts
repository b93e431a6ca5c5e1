import * as z from 'zod';
import type { Tags } from '../../../shared/core/ownership.ts';
import { JsonApiError } from '../json-api.ts';
import { ecsLimits } from './limits.ts';

const invalid = (message: string): JsonApiError => new JsonApiError('InvalidParameterException', message);

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html */
const characters = /^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$/u;

const Tag = z.object({
  key: z.string().min(1).max(128).regex(characters),
  value: z.string().max(256).regex(characters).default(''),
});

/** The tags of a request. */
export const TagList = z
  .array(Tag)
  .default([])
  .transform((list): Tags => {
    if (list.some(({ key }) => /^aws:/i.test(key))) throw invalid('Tag keys must not begin with aws:.');
    const tags = Object.fromEntries(list.map(({ key, value }) => [key, value]));
    if (Object.keys(tags).length < list.length) throw invalid('Duplicate tag keys found.');
    return tags;
  });

/** @throws JsonApiError where a resource has more tags than ECS allows. Tags of AWS do not count. */
export const withinLimit = (tags: Tags): Tags => {
  const own = Object.keys(tags).filter((key) => !key.startsWith('aws:'));
  if (own.length <= ecsLimits.tags) return tags;
  throw invalid(`Too many tags: a resource has at most ${ecsLimits.tags}.`);
};

export const tagList = (tags: Tags) => Object.entries(tags).map(([key, value]) => ({ key, value }));
