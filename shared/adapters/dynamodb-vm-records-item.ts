import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../domain/errors.ts';
import { LaunchPlan } from '../domain/launch.ts';
import { type Creation, VmFacts, VmRecord } from '../domain/vm-record.ts';
import { Status } from './dynamodb-fleet-item.ts';

/** VM records share the fleet's table; no instance id begins like this. */
export const keyOf = (vmId: string) => ({ pk: `vm#${vmId}` });

const json = z.pipe(
  z.string(),
  z.transform((text): unknown => JSON.parse(text)),
);

/** Plan and facts are JSON: nobody asks DynamoDB for a part of them. */
const VmRecordItem = z.extend(VmRecord, {
  launch: z.optional(z.pipe(json, LaunchPlan)),
  facts: z.optional(z.pipe(json, VmFacts)),
});

/**
 * Undefined where the item only keeps the generation of a creation that was refused.
 * @throws UnreadableError where the item was not written by dynamodb-vm-records.ts.
 */
export const recordOf = (item: Record<string, unknown> | undefined): VmRecord | undefined => {
  if (item === undefined || isVacant(item)) return undefined;
  try {
    return VmRecordItem.parse(item);
  } catch (cause) {
    throw new UnreadableError(`the record ${item.pk} makes no sense: ${reasonOf(cause)}`, { cause });
  }
};

const Deletion = z.object({ deletedAtMs: z.optional(z.int()) });

/** When the id was last deleted: also of an item that is no record. */
export const deletionOf = (item: Record<string, unknown> | undefined): z.infer<typeof Deletion> =>
  Deletion.safeParse(item).data ?? {};

const CreationItem = z.object({
  turn: z.optional(z.int()),
  deletedAtMs: z.optional(z.int()),
  attemptedAtMs: z.optional(z.int()),
  failure: z.optional(z.pipe(json, Status)),
  failurePublishedAtMs: z.optional(z.int()),
});

/** @throws UnreadableError as recordOf. */
export const creationOf = (item: Record<string, unknown> | undefined): Creation => {
  const parsed = CreationItem.safeParse(item ?? {});
  if (!parsed.success)
    throw new UnreadableError(`the creation ${item?.pk} makes no sense: ${reasonOf(parsed.error)}`, {
      cause: parsed.error,
    });
  const { turn, deletedAtMs, attemptedAtMs, failure, failurePublishedAtMs } = parsed.data;
  const isPublished = failurePublishedAtMs !== undefined;
  return {
    record: recordOf(item),
    ...{ turn, deletedAtMs, attemptedAtMs },
    failure: failure && { status: failure, isPublished },
  };
};

const isVacant = (item: Record<string, unknown>): boolean =>
  item.instanceId === undefined && item.leaseUntilMs === undefined;
