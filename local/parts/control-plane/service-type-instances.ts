import { Hono } from 'hono';
import * as z from 'zod';
import { problem } from './problem.ts';
import type { Row, Rows } from './rows.ts';

const Page = z.object({
  max_page_size: z.coerce.number().int().min(1).max(100).default(100),
  /** The offset in base64. As at DCM, one that cannot be read is the first page. */
  page_token: z
    .string()
    .transform((token) => Number(Buffer.from(token, 'base64').toString()))
    .pipe(z.int().min(0))
    .catch(0),
});

/**
 * DCM's read side of service-type instances, `{instances, next_page_token}` and single ones. As at DCM, the message is
 * not told.
 * @see https://github.com/dcm-project/service-provider-manager (api/v1alpha1/resource_manager/openapi.yaml)
 */
export const serviceTypeInstances = (rows: Rows): Hono =>
  new Hono()
    .get('/', async (context) => {
      const page = Page.safeParse(context.req.query());
      if (!page.success)
        return problem('validation-error', 'Invalid request', 400, 'max_page_size: expected 1 to 100');
      const { max_page_size: size, page_token: offset } = page.data;
      const found = await rows.list({ offset, limit: size + 1 });
      const next = found.length > size ? { next_page_token: btoa(String(offset + size)) } : {};
      return context.json({ instances: found.slice(0, size).map(toInstance), ...next });
    })
    .get('/:id', async (context) => {
      const id = context.req.param('id');
      const row = await rows.get(id);
      if (row === undefined)
        return problem('not-found', 'Instance not found', 404, `instance ${id} not found`);
      return context.json(toInstance(row));
    });

const toInstance = ({ id, status, providerName, createdAt, updatedAt }: Row) => ({
  id,
  path: `service-type-instances/${id}`,
  provider_name: providerName ?? '',
  status,
  create_time: createdAt.toISOString(),
  update_time: updatedAt.toISOString(),
});
