import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
} from '../../../../shared/core/errors.ts';
import type { Spec } from '../api-conventions.ts';
import type { Documents, Stored } from './documents.ts';
import type { Placement, ResourceInput } from './placement.ts';
import { isObject, referenceIn } from './references.ts';

const Field = z.object({
  /** Dotted path in the service type's spec, such as `vcpu.count`. */
  path: z.string().min(1),
  display_name: z.string().max(63).optional(),
  editable: z.boolean().default(false),
  default: z.unknown().optional(),
  /** JSON Schema of the values that users may set. */
  validation_schema: z.record(z.string(), z.unknown()).optional(),
});
const Resource = z.object({
  name: z.string().min(1),
  service_type: z.string().min(1),
  requires_resources: z.array(z.string().min(1)).default([]),
  fields: z.array(Field).default([]),
});
type Resource = z.infer<typeof Resource>;

/** A catalog item, which users can order. @see https://github.com/dcm-project/control-plane (api/catalog/v1alpha1/openapi.yaml) */
export const CatalogItem = z.object({
  api_version: z.string(),
  display_name: z.string().min(1).max(63),
  spec: z.object({ resources: z.array(Resource).min(1) }),
});
export type CatalogItem = z.infer<typeof CatalogItem>;

const UserValue = z.object({ resource: z.string().min(1), path: z.string(), value: z.unknown() });

/** A user's order of a catalog item. */
export const CatalogItemInstance = z.object({
  api_version: z.string(),
  display_name: z.string().min(1).max(63),
  spec: z.object({ catalog_item_id: z.string().min(1), user_values: z.array(UserValue) }),
});
export type CatalogItemInstance = z.infer<typeof CatalogItemInstance> & {
  readonly runId?: string;
  readonly resourceIds?: readonly string[];
};

/** The service types of DCM's seed, with their zero values. @see https://github.com/dcm-project/control-plane (internal/catalog/service/seed.go) */
export const serviceTypes: Readonly<Record<string, Spec>> = {
  vm: {
    vcpu: { count: 0 },
    memory: { size: '' },
    storage: { disks: null },
    guest_os: { type: '' },
    access: {},
    ip: [],
  },
  container: {
    image: { reference: '' },
    resources: { cpu: { max: '', min: '' }, memory: { max: '', min: '' } },
    process: {},
    network: {},
    endpoints: [],
  },
  cluster: { version: '', api_endpoint: '', console_url: '', kubeconfig: '' },
  storage: { capacity: '', volume_name: '' },
  network: { ports: [], endpoints: [] },
};

const supportedVersion = 'v1alpha1';

type Parts = {
  readonly items: Documents<CatalogItem>;
  readonly instances: Documents<CatalogItemInstance>;
  readonly placement: Pick<Placement, 'createRun' | 'deleteRun' | 'rehydrate'>;
};

/**
 * DCM's catalog. References to outputs are checked as in DCM, with one exception: DCM also requires that the service type declares the
 * output, which none of its seeded types does.
 * @see https://github.com/dcm-project/control-plane (internal/catalog/service)
 */
export type Catalog = {
  /** @throws InvalidArgumentError, FailedPreconditionError (id) */
  addItem(item: CatalogItem, id?: string): Promise<Stored<CatalogItem>>;
  /** @throws NotFoundError, FailedPreconditionError while there are instances */
  removeItem(id: string): Promise<void>;
  /** Starts a run. @throws InvalidArgumentError, FailedPreconditionError (id), PlacementError */
  order(wanted: CatalogItemInstance, id?: string): Promise<Stored<CatalogItemInstance>>;
  /** Starts the deletion of its run, and removes the instance at once. @throws NotFoundError, PlacementError */
  cancel(id: string): Promise<void>;
  /** Starts another run with new ids, and deletes the old run. @throws NotFoundError, PlacementError */
  rehydrate(id: string): Promise<Stored<CatalogItemInstance>>;
};

/** Placement refused; `cause` is its error. */
export class PlacementError extends Error {
  override name = 'PlacementError' as const;
}

export const catalogOf = ({ items, instances, placement }: Parts): Catalog => {
  const found = async (id: string) => {
    const instance = await instances.get(id);
    if (instance === undefined) throw new NotFoundError('catalog item instance not found');
    return instance;
  };
  const withRun = async (id: string, run: Pick<CatalogItemInstance, 'runId' | 'resourceIds'>) => {
    const { document } = await found(id);
    await instances.replace(id, { ...document, ...run });
    return found(id);
  };
  return {
    addItem: (item, id) => {
      checkVersion(item);
      checkResources(item.spec.resources);
      return items.add(item, id);
    },
    removeItem: async (id) => {
      const used = (await instances.list()).some(({ document }) => document.spec.catalog_item_id === id);
      if (used) throw new FailedPreconditionError('catalog item has existing instances');
      if (!(await items.remove(id))) throw new NotFoundError('catalog item not found');
    },
    order: async (wanted, id) => {
      checkVersion(wanted);
      const item = await items.get(wanted.spec.catalog_item_id);
      if (item === undefined) throw new InvalidArgumentError('referenced catalog item does not exist');
      const resources = resourcesOf(item.document, wanted);
      const instance = await instances.add(wanted, id);
      const runId = randomUUID();
      try {
        const resourceIds = await placement.createRun({ runId, instanceId: instance.id, resources });
        return await withRun(instance.id, { runId, resourceIds });
      } catch (cause) {
        await instances.remove(instance.id);
        throw new PlacementError('placement manager create resource failed', { cause });
      }
    },
    cancel: async (id) => {
      const { runId = '' } = (await found(id)).document;
      await placement.deleteRun(runId).catch((cause: unknown) => {
        throw new PlacementError('placement manager delete resource failed', { cause });
      });
      await instances.remove(id);
    },
    rehydrate: async (id) => {
      const { runId: oldRunId = '' } = (await found(id)).document;
      const runId = randomUUID();
      const resourceIds = await placement.rehydrate(oldRunId, runId).catch((cause: unknown) => {
        throw new PlacementError('placement manager rehydrate resource failed', { cause });
      });
      return withRun(id, { runId, resourceIds });
    },
  };
};

const checkVersion = ({ api_version: version }: { readonly api_version: string }): void => {
  if (version !== supportedVersion) refuse(`invalid api_version: must be set to ${supportedVersion}`);
};

const checkResources = (resources: readonly Resource[]): void => {
  const names = new Set<string>();
  for (const { name, service_type: type } of resources) {
    if (names.has(name)) refuse(`duplicate resource name in catalog item: ${name}`);
    names.add(name);
    if (serviceTypes[type] === undefined) refuse('service type not found');
  }
  const unknown = resources.flatMap((one) => one.requires_resources).find((needed) => !names.has(needed));
  if (unknown !== undefined) refuse(`requires_resources references unknown resource name: ${unknown}`);
  if (hasCycle(resources)) refuse('cycle detected in requires_resources dependencies');
};

/** Whether resources remain after those without unmet requirements have been removed repeatedly. */
const hasCycle = (resources: readonly Resource[]): boolean => {
  const open = new Map(resources.map((one) => [one.name, one.requires_resources]));
  for (let before = -1; before !== open.size; ) {
    before = open.size;
    for (const [name, needs] of [...open]) if (!needs.some((need) => open.has(need))) open.delete(name);
  }
  return open.size > 0;
};

/** The resources with their specs: the service type's values, then the item's defaults, then the user's values. */
const resourcesOf = (
  { spec: { resources } }: CatalogItem,
  { spec }: CatalogItemInstance,
): ResourceInput[] => {
  const unknown = spec.user_values.find(({ resource }) => !resources.some(({ name }) => name === resource));
  if (unknown !== undefined) refuse(`user value resource not found in catalog item: ${unknown.resource}`);
  return resources.map((resource) => {
    const template = {
      ...structuredClone(serviceTypes[resource.service_type]),
      service_type: resource.service_type,
    };
    const defaults = resource.fields.filter((field) => field.default !== undefined && field.default !== null);
    for (const field of defaults)
      setAt(template, field.path, checkValue(field, field.default, resource, resources));
    for (const { path, value } of spec.user_values.filter((one) => one.resource === resource.name)) {
      const field = resource.fields.find((one) => one.path === path);
      if (field === undefined) return refuse(`user value path not found in catalog item fields: ${path}`);
      if (!field.editable) refuse(`field is not editable: ${path}`);
      setAt(template, path, checkValue(field, value, resource, resources));
    }
    return { name: resource.name, spec: template, requires: resource.requires_resources };
  });
};

const checkValue = (
  { path, validation_schema: schema }: z.infer<typeof Field>,
  value: unknown,
  { name, requires_resources: requires }: Resource,
  resources: readonly Resource[],
): unknown => {
  const reference = typeof value === 'string' ? referenceIn(value) : undefined;
  if (reference !== undefined) {
    const { resource } = reference;
    if (resource === name) refuse(`CEL reference cannot target the same resource: field ${path}`);
    if (!resources.some((one) => one.name === resource))
      refuse(`CEL reference resource not found in catalog item: ${resource}`);
    if (!requires.includes(resource))
      refuse(
        `CEL reference resource must be listed in requires_resources: field ${path} references ${resource}`,
      );
  }
  const issue = schema && z.fromJSONSchema(schema).safeParse(value).error?.issues[0];
  if (issue) refuse(`user value validation failed: ${path}: ${issue.message}`);
  return value;
};

/** Sets a value at a dotted path, and creates missing objects on the way. */
const setAt = (spec: Record<string, unknown>, path: string, value: unknown): void => {
  const [step = '', ...others] = path.replace(/^spec\./, '').split('.');
  if (others.length === 0) {
    spec[step] = structuredClone(value);
    return;
  }
  const inner = spec[step] ?? {};
  const copy = isObject(inner) ? { ...inner } : refuse(`path segment "${step}" is not a map`);
  setAt(copy, others.join('.'), value);
  spec[step] = copy;
};

const refuse = (message: string): never => {
  throw new InvalidArgumentError(message);
};
