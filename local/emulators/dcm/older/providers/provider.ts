import * as z from 'zod';
import type { Health } from './health.ts';

/** What DCM allows as an id, of a provider and of a service-type instance. */
export const ResourceId = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/);

/**
 * What a provider registers with. An `id` in the body wins over the one in the query; everything else that is read-only, and what is
 * unknown, is ignored.
 * @see https://github.com/dcm-project/control-plane (api/sp/v1alpha1/provider/openapi.yaml)
 */
export const Registration = z.object({
  id: ResourceId.optional(),
  name: z.string(),
  endpoint: z.url(),
  service_type: z.string(),
  schema_version: z.string().regex(/^v[0-9]+(alpha|beta)?[0-9]*$/),
  display_name: z.string().optional(),
  operations: z.array(z.string()).optional(),
  metadata: z
    .looseObject({
      region_code: z.string().optional(),
      zone: z.string().optional(),
      status: z.string().optional(),
      resources: z
        .object({
          total_cpu: z.int().optional(),
          total_memory: z.string().optional(),
          total_storage: z.string().optional(),
          total_node: z.int().optional(),
        })
        .optional(),
    })
    .optional(),
});
export type Registration = z.infer<typeof Registration>;

/** One row of the registry. */
export type Provider = Health & {
  readonly id: string;
  readonly name: string;
  readonly endpoint: string;
  readonly serviceType: string;
  readonly schemaVersion: string;
  readonly displayName: string | null;
  readonly operations: readonly string[] | null;
  readonly metadata: Readonly<Record<string, unknown>> | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
};

/** As DCM answers it; what was not registered is left out. */
export const toResource = (provider: Provider) => ({
  id: provider.id,
  path: `providers/${provider.id}`,
  name: provider.name,
  endpoint: provider.endpoint,
  service_type: provider.serviceType,
  schema_version: provider.schemaVersion,
  ...(provider.displayName !== null && { display_name: provider.displayName }),
  ...(provider.operations !== null && { operations: provider.operations }),
  ...(provider.metadata !== null && { metadata: provider.metadata }),
  health_status: provider.status,
  create_time: provider.createdAt.toISOString(),
  update_time: provider.updatedAt.toISOString(),
});
