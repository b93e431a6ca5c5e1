import * as z from 'zod/mini';

export const Tags = z.record(z.string(), z.string());
export type Tags = z.infer<typeof Tags>;

/** @see https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html */
const TagKey = z
  .string()
  .check(
    z.minLength(1),
    z.maxLength(128),
    z.regex(/^(?!aws:)/i, { error: 'must not begin with aws:, which is reserved for AWS' }),
  );

/** The tag keys that mark a resource as DCM's, and as ours. */
export const TagKeys = z.object({
  managedBy: z._default(TagKey, 'managed-by'),
  instanceId: z._default(TagKey, 'dcm-instance-id'),
  provider: z._default(TagKey, 'dcm-provider'),
  serviceType: z._default(TagKey, 'dcm-service-type'),
});
export type TagKeys = z.infer<typeof TagKeys>;

/** The value of the `managedBy` tag on every resource that belongs to DCM. */
export const managedByDcm = 'dcm';

const youthMs = 120_000;

/**
 * Launched, or started again, within the last two minutes. Until then the absence of tags says nothing, for they can lag behind, and
 * neither does a listing, for events of what it shows may still be on their way.
 */
export const isRecentlyLaunched = (launchedAtMs: number, nowMs: number): boolean =>
  nowMs - launchedAtMs < youthMs;

/** Of all labels of a resource together; an overview has thousands of resources. */
const mostLabelCharacters = 1_000;

/** What is kept of a resource's labels, in the order of their keys, up to 1,000 characters. Without labels, no field. */
export const labelsField = (labels: Tags): { readonly labels?: Tags } => {
  let characters = 0;
  const kept = Object.entries(labels)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .filter(([key, value]) => {
      characters += key.length + value.length;
      return characters <= mostLabelCharacters;
    });
  return kept.length === 0 ? {} : { labels: Object.fromEntries(kept) };
};

/** The tags that are somebody's labels: neither AWS's, nor those that mark a resource as DCM's. */
export const labelsIn = (tags: Tags, keys: TagKeys): Tags => {
  const marks: readonly string[] = ['Name', ...Object.values(keys)];
  const labels = Object.entries(tags).filter(([key]) => !(marks.includes(key) || /^(aws:|dcm-)/i.test(key)));
  return Object.fromEntries(labels);
};

/**
 * The DCM id of a resource with these tags; undefined where it is not DCM's, or belongs to another provider. So two providers in one
 * account never report each other's resources.
 */
export const dcmIdOf = (tags: Tags, keys: TagKeys, provider: string): string | undefined => {
  if (tags[keys.managedBy] !== managedByDcm) return undefined;
  const owner = tags[keys.provider];
  if (owner !== undefined && owner !== provider) return undefined;
  return tags[keys.instanceId]?.trim() || undefined;
};
