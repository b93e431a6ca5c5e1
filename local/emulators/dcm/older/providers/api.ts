import { Hono } from 'hono';
import * as z from 'zod';
import { NotFoundError, reasonOf } from '../../../../../shared/core/errors.ts';
import { nextPageToken, PageSize, strictPageToken } from '../page.ts';
import { problem, problemOf } from '../problem.ts';
import { parsed } from '../request.ts';
import { Registration, ResourceId, toResource } from './provider.ts';
import { registerProvider } from './register.ts';
import type { Registry } from './registry.ts';

const Listing = z.object({
  type: z.string().optional(),
  max_page_size: PageSize,
  page_token: strictPageToken,
});
const Id = z.object({ id: ResourceId.optional() });

/**
 * DCM's registry: `{providers, next_page_token}`, single ones, registration and its end.
 * @see https://github.com/dcm-project/control-plane (internal/sp/handlers/provider/handler.go)
 */
export const providers = (registry: Registry): Hono => {
  const register = registerProvider(registry);
  const found = async (id: string) => {
    const provider = await registry.get(id);
    if (provider === undefined) throw new NotFoundError(`provider ${id} not found`);
    return provider;
  };
  return new Hono()
    .post('/', async ({ req, json }) => {
      const { id } = parsed(Id, req.query());
      const registration = parsed(Registration, await req.json().catch(() => undefined));
      const { provider, isNew } = await register(registration, id);
      return json(toResource(provider), isNew ? 201 : 200);
    })
    .get('/', async ({ req, json }) => {
      const { type, max_page_size: limit, page_token: offset } = parsed(Listing, req.query());
      const rows = await registry.list({ serviceType: type, offset, limit: limit + 1 });
      return json({
        providers: rows.slice(0, limit).map(toResource),
        ...nextPageToken(rows.length, { offset, limit }),
      });
    })
    .get('/:id', async ({ req, json }) => json(toResource(await found(req.param('id')))))
    .delete('/:id', async ({ req, body }) => {
      await found(req.param('id'));
      await registry.remove(req.param('id'));
      return body(null, 204);
    })
    .onError(
      (error) =>
        problemOf(error, 'Provider') ??
        problem('create-error', 'Failed to create provider', 400, reasonOf(error)),
    );
};
