import * as z from 'zod/mini';

const ProviderOperation = z.enum(['CREATE', 'DELETE', 'READ']);

/**
 * What a provider row of DCM is registered with, and nothing else: DCM's read-only fields are refused by the environment agent, and
 * `metadata.resources` has other types there than at the control plane.
 */
export const ProviderRegistration = z.strictObject({
  /** Unique at DCM. */
  name: z.string(),
  /** URL of the collection, to which DCM adds `?id=`, `/{id}` and `/health`. */
  endpoint: z.url(),
  service_type: z.literal('vm'),
  schema_version: z.literal('v1alpha1'),
  display_name: z.string(),
  operations: z.array(ProviderOperation),
  metadata: z.strictObject({ region_code: z.string() }),
});
export type ProviderRegistration = z.infer<typeof ProviderRegistration>;

/**
 * What we read of DCM's answer, the row as it holds it. The rest differs between the control plane, its predecessor and the environment
 * agent.
 */
export const RegisteredProvider = z.object({
  id: z.string(),
  /** RFC 3339, with up to nanoseconds. */
  create_time: z.optional(z.string()),
  update_time: z.optional(z.string()),
});
export type RegisteredProvider = z.infer<typeof RegisteredProvider>;
