import * as z from 'zod/mini';
import { Collection } from '../core/inventory/entry.ts';

const cursor = z.string().check(z.describe('The place after this change; for `after`.'));

/** The answer of `GET /api/v1alpha1/changes`. */
export const ChangesAnswer = z
  .object({
    changes: z
      .array(
        z.discriminatedUnion('kind', [
          z.object({
            cursor,
            kind: z.literal('status'),
            eventId: z.string().check(z.describe('The id of the CloudEvent that DCM got.')),
            dcmId: z.string().check(z.describe('DCM’s id of the resource.')),
            serviceType: z.string().check(z.describe('`vm`, `container` or `cluster`.')),
            target: z
              .string()
              .check(
                z.describe(
                  'As in paths: `eu-west-1`, or `prod/eu-west-1` in another account; `222222222222/eu-west-1` where the account is no longer configured.',
                ),
              ),
            status: z.string().check(z.describe('DCM’s status.')),
            message: z.optional(z.string().check(z.describe('The state, with its reason or a warning.'))),
            time: z
              .string()
              .check(z.meta({ format: 'date-time', description: 'Since when it has the status.' })),
            requestId: z
              .optional(z.string())
              .check(z.describe('The id of the request to the API that caused it, as in the log.')),
          }),
          z.object({
            cursor,
            kind: z.literal('inventory'),
            target: z.string().check(z.describe('As for a status.')),
            collection: Collection,
            change: z.enum(['changed', 'ended', 'listed']),
            id: z.optional(z.string()),
          }),
        ]),
      )
      .check(z.describe('The changes, the oldest first.')),
    next: z.string().check(z.describe('The cursor to read on from. Also the `ETag`.')),
    pollAfterMs: z.int().check(z.describe('When to ask again, in milliseconds.')),
    complete: z.boolean().check(z.describe('Whether there were no further changes at the moment.')),
  })
  .check(z.meta({ id: 'Changes', description: 'Changes of statuses and of the inventory, in one order.' }));
export type ChangesAnswer = z.infer<typeof ChangesAnswer>;
