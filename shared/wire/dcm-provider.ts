import * as z from 'zod/mini';
import { ServiceType } from '../core/kind.ts';

const ProviderOperation = z.enum(['CREATE', 'DELETE', 'READ']);

/**
 * The registration of a provider, without any other field: the environment agent refuses DCM's read-only fields, and
 * `metadata.resources` has other types there than at the control plane.
 */
export const ProviderRegistration = z.strictObject({
  /** Unique at DCM. */
  name: z.string(),
  /** URL of the collection, to which DCM adds `?id=`, `/{id}` and `/health`. */
  endpoint: z.url(),
  service_type: ServiceType,
  schema_version: z.literal('v1alpha1'),
  display_name: z.string(),
  operations: z.array(ProviderOperation),
  metadata: z.strictObject({
    region_code: z.string(),
    /** RFC 3339, on our clock: if DCM holds an earlier time than our last one, DCM was restored from a backup. */
    registered_at: z.string(),
  }),
});
export type ProviderRegistration = z.infer<typeof ProviderRegistration>;

/**
 * The fields that we read of a provider in DCM's answer. The others differ between the control plane, its predecessor and the environment
 * agent.
 */
export const RegisteredProvider = z.object({
  id: z.string(),
  /** RFC 3339, with up to nanoseconds. */
  create_time: z.optional(z.string()),
  metadata: z.optional(z.nullable(z.object({ registered_at: z.optional(z.string()) }))),
});
export type RegisteredProvider = z.infer<typeof RegisteredProvider>;

/** A provider in DCM's list: the fields that are shown to operators. */
export const ListedProvider = z.object({
  id: z.string(),
  name: z.string(),
  service_type: z.string(),
  endpoint: z.optional(z.string()),
  /** Environment agents only: `embedded` runs within the agent, `external` has registered. */
  type: z.optional(z.string()),
  /** Of an environment agent: Ready, Unhealthy or Unavailable. */
  status: z.optional(z.string()),
});
export type ListedProvider = z.infer<typeof ListedProvider>;

/** `GET /providers`: environment agents answer `results`, the first of them and control plane answered `providers`. */
export const ProviderList = z.pipe(
  z.object({
    results: z.optional(z.array(ListedProvider)),
    providers: z.optional(z.array(ListedProvider)),
  }),
  z.transform(({ results, providers }) => results ?? providers),
);
