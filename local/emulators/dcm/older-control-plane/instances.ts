import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import * as z from 'zod';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  NotFoundError,
  reasonOf,
  UnprocessableError,
} from '../../../../shared/core/errors.ts';
import { lenientPageToken, nextPageToken, PageSize, parsed, problem, problemOf } from '../api-conventions.ts';
import type { ProviderClient } from './provider-client.ts';
import { type Provider, type Registry, ResourceId } from './providers.ts';
import type { Row, Rows, Spec } from './rows.ts';

export type DispatchParts = {
  readonly rows: Rows;
  readonly registry: Pick<Registry, 'byName' | 'list'>;
  readonly client: Pick<ProviderClient, 'create' | 'delete'>;
};

export type Wanted = {
  /** @default a new UUID */
  readonly id?: string | undefined;
  /** Left out: the first ready provider of the spec's service type, for here is no placement that would choose one. */
  readonly providerName?: string | undefined;
  readonly spec: Spec;
};

/**
 * Has a provider create an instance, as DCM does: the row is there before the provider is asked, so that no status event comes too early,
 * and is gone again where the provider refuses.
 * @throws NotFoundError, InvalidArgumentError, FailedPreconditionError (the id is taken), UnprocessableError (the provider is not ready, or refused)
 */
const createInstance =
  ({ rows, registry, client }: DispatchParts) =>
  async ({ id = randomUUID(), providerName, spec }: Wanted): Promise<Row> => {
    const provider = await chosen(registry, providerName, spec);
    if (provider.status !== 'ready')
      throw new UnprocessableError(
        `provider '${provider.name}' is not in ready state (current status: ${provider.status})`,
      );
    if ((await rows.get(id)) !== undefined)
      throw new FailedPreconditionError(`instance with ID '${id}' already exists`);
    const asked = { id, providerName: provider.name, serviceType: serviceTypeOf(spec), spec };
    const added = await rows.add({ ...asked, instanceName: nameIn(spec) });
    try {
      await rows.settle(id, await client.create(provider.endpoint, id, spec));
    } catch (error) {
      await rows.remove(id);
      throw new UnprocessableError(`Error from Provider (${provider.name}): ${reasonOf(error)}`, {
        cause: error,
      });
    }
    return (await rows.get(id)) ?? added;
  };

const chosen = async (
  registry: DispatchParts['registry'],
  name: string | undefined,
  spec: Spec,
): Promise<Provider> => {
  if (name !== undefined) {
    const provider = await registry.byName(name);
    if (provider === undefined) throw new NotFoundError(`provider '${name}' not found`);
    return provider;
  }
  const serviceType = serviceTypeOf(spec);
  const candidates = await registry.list({ serviceType });
  const provider = candidates.find(({ status }) => status === 'ready') ?? candidates[0];
  if (provider === undefined) throw new NotFoundError(`no provider of service type '${serviceType}'`);
  return provider;
};

const serviceTypeOf = ({ service_type: serviceType }: Spec): string => {
  if (typeof serviceType !== 'string')
    throw new InvalidArgumentError('spec.service_type is required and must be a string');
  if (serviceType.trim() === '') throw new InvalidArgumentError('spec.service_type must not be empty');
  return serviceType;
};

const Named = z.object({ metadata: z.object({ name: z.string() }) });
const nameIn = (spec: Spec): string => Named.safeParse(spec).data?.metadata.name ?? '';

/**
 * Has the provider delete an instance, and then forgets it: what is told of it afterwards meets no row. A row that no create made is
 * only forgotten.
 * @throws NotFoundError where there is no row, or no provider any more; else what the provider's client throws, and the row stays
 */
const deleteInstance =
  ({ rows, registry, client }: DispatchParts) =>
  async (id: string): Promise<void> => {
    const row = await rows.get(id);
    if (row === undefined) throw new NotFoundError(`instance ${id} not found`);
    if (row.providerName !== null) {
      const provider = await registry.byName(row.providerName);
      if (provider === undefined)
        throw new Error(`failed to delete instance (${id}): provider '${row.providerName}' not found`);
      await client.delete(provider.endpoint, id);
    }
    await rows.remove(id);
  };

const Listing = z.object({
  provider: z.string().optional(),
  max_page_size: PageSize,
  page_token: lenientPageToken,
});
const Id = z.object({ id: ResourceId.optional() });
const Creation = z.object({
  provider_name: z.string().optional(),
  spec: z.record(z.string(), z.unknown()),
});

/**
 * DCM's service-type instances: creates and deletes are dispatched to their providers, the rest is answered from the rows. As at DCM,
 * the message is not told. Deferred deletes, which DCM repeats for minutes, are refused.
 * @see https://github.com/dcm-project/service-provider-manager (api/v1alpha1/resource_manager/openapi.yaml)
 */
export const serviceTypeInstances = (parts: DispatchParts): Hono => {
  const { rows } = parts;
  const create = createInstance(parts);
  const remove = deleteInstance(parts);
  return new Hono()
    .post('/', async ({ req, json }) => {
      const { id } = parsed(Id, req.query());
      const { provider_name, spec } = parsed(Creation, await req.json().catch(() => undefined));
      return json(toInstance(await create({ id, providerName: provider_name, spec })), 201);
    })
    .get('/', async ({ req, json }) => {
      const { provider, max_page_size: limit, page_token: offset } = parsed(Listing, req.query());
      const found = await rows.list({ provider, offset, limit: limit + 1 });
      return json({
        instances: found.slice(0, limit).map(toInstance),
        ...nextPageToken(found.length, { offset, limit }),
      });
    })
    .get('/:id', async ({ req, json }) => {
      const row = await rows.get(req.param('id'));
      if (row === undefined) throw new NotFoundError(`instance ${req.param('id')} not found`);
      return json(toInstance(row));
    })
    .delete('/:id', async ({ req, body }) => {
      if (req.query('deferred') === 'true')
        throw new InvalidArgumentError('deferred: this control plane deletes at once, or not at all');
      await remove(req.param('id'));
      return body(null, 204);
    })
    .onError(
      (error, { req }) => problemOf(error, 'Instance') ?? failed(req.method.toLowerCase(), reasonOf(error)),
    );
};

const failed = (method: string, reason: string): Response =>
  method === 'delete'
    ? problem('delete-error', 'Failed to delete instance', 500, reason)
    : problem('internal-error', 'Internal error', 500, reason);

const toInstance = ({ id, status, providerName, spec, createdAt, updatedAt }: Row) => ({
  id,
  path: `service-type-instances/${id}`,
  provider_name: providerName ?? '',
  status,
  ...(spec !== null && { spec }),
  create_time: createdAt.toISOString(),
  update_time: updatedAt.toISOString(),
});
