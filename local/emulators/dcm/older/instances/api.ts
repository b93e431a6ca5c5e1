import { Hono } from 'hono';
import * as z from 'zod';
import { InvalidArgumentError, NotFoundError, reasonOf } from '../../../../../shared/core/errors.ts';
import { lenientPageToken, nextPageToken, PageSize } from '../page.ts';
import { problem, problemOf } from '../problem.ts';
import { ResourceId } from '../providers/provider.ts';
import { parsed } from '../request.ts';
import type { Row } from '../rows.ts';
import { createInstance, type DispatchParts } from './create.ts';
import { deleteInstance } from './delete.ts';

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
