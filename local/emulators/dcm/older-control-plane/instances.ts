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
import {
  lenientPageToken,
  nextPageToken,
  PageSize,
  parse,
  problem,
  problemOf,
  ResourceId,
  type Spec,
  serviceTypeOf,
} from '../api-conventions.ts';
import type { ProviderClient } from './provider-client.ts';
import type { Provider, Registry } from './providers.ts';
import type { Row, Rows } from './rows.ts';

export type DispatchParts = {
  readonly rows: Rows;
  readonly registry: Pick<Registry, 'byName' | 'list'>;
  readonly client: Pick<ProviderClient, 'create' | 'delete'>;
};

type CreateRequest = {
  /** @default a new UUID */
  readonly id?: string | undefined;
  /** @default the first ready provider of the spec's service type; there is no placement to choose one */
  readonly providerName?: string | undefined;
  readonly spec: Spec;
};

/**
 * Dispatches a create to a provider, as DCM does: the row is added before the request, so that no status event is too early, and removed
 * where the provider refuses.
 * @throws NotFoundError, InvalidArgumentError, FailedPreconditionError (the id is taken), UnprocessableError (the provider is not ready, or refused)
 */
const createInstance =
  ({ rows, registry, client }: DispatchParts) =>
  async ({ id = randomUUID(), providerName, spec }: CreateRequest): Promise<Row> => {
    const provider = await chooseProvider(registry, providerName, spec);
    if (provider.status !== 'ready')
      throw new UnprocessableError(
        `provider '${provider.name}' is not in ready state (current status: ${provider.status})`,
      );
    if ((await rows.get(id)) !== undefined)
      throw new FailedPreconditionError(`instance with ID '${id}' already exists`);
    const instance = { id, providerName: provider.name, serviceType: serviceTypeOf(spec), spec };
    const added = await rows.add({ ...instance, instanceName: nameIn(spec) });
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

const chooseProvider = async (
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

const Named = z.object({ metadata: z.object({ name: z.string() }) });
const nameIn = (spec: Spec): string => Named.safeParse(spec).data?.metadata.name ?? '';

/**
 * Dispatches a delete to the provider, and then removes the row, so that later status events are skipped. A row that a status event added
 * has no provider and is only removed.
 * @throws NotFoundError where there is no row; an Error where the provider is no longer registered; else the errors of the provider's client,
 * and the row stays
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
 * DCM's service-type instances over HTTP: creates and deletes are dispatched to their providers, reads are answered from the rows. As in
 * DCM, the message is not part of the answer. Deferred deletes, which DCM retries for minutes, are refused.
 * @see https://github.com/dcm-project/service-provider-manager (api/v1alpha1/resource_manager/openapi.yaml)
 */
export const serviceTypeInstances = (parts: DispatchParts): Hono => {
  const { rows } = parts;
  const create = createInstance(parts);
  const remove = deleteInstance(parts);
  return new Hono()
    .post('/', async ({ req, json }) => {
      const { id } = parse(Id, req.query());
      const { provider_name, spec } = parse(Creation, await req.json().catch(() => undefined));
      return json(toInstance(await create({ id, providerName: provider_name, spec })), 201);
    })
    .get('/', async ({ req, json }) => {
      const { provider, max_page_size: limit, page_token: offset } = parse(Listing, req.query());
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
        throw new InvalidArgumentError('deferred: this emulator supports only immediate deletes');
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
