import * as z from 'zod/mini';

export const Tags = z.record(z.string(), z.string());
export type Tags = z.infer<typeof Tags>;

/** The tag keys by which an instance is known to be a DCM VM, and to be ours. */
export const TagKeys = z.object({
  managedBy: z._default(z.string().check(z.minLength(1), z.maxLength(128)), 'managed-by'),
  instanceId: z._default(z.string().check(z.minLength(1), z.maxLength(128)), 'dcm-instance-id'),
  provider: z._default(z.string().check(z.minLength(1), z.maxLength(128)), 'dcm-provider'),
  serviceType: z._default(z.string().check(z.minLength(1), z.maxLength(128)), 'dcm-service-type'),
});
export type TagKeys = z.infer<typeof TagKeys>;

/** The value of the `managedBy` tag on every instance that belongs to DCM. */
export const managedByDcm = 'dcm';

/**
 * The DCM id of an instance with these tags, or undefined where it is not ours: not DCM's at all, or another
 * provider's. Two providers in one account never report each other's VMs.
 */
export const vmIdOf = (tags: Tags, keys: TagKeys, provider: string): string | undefined => {
  if (tags[keys.managedBy] !== managedByDcm) return undefined;
  const owner = tags[keys.provider];
  if (owner !== undefined && owner !== provider) return undefined;
  return tags[keys.instanceId]?.trim() || undefined;
};
