import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../domain/errors.ts';
import { InstanceState } from '../domain/instance.ts';
import { NoticeKind } from '../domain/signal.ts';
import type { Vm } from '../domain/vm.ts';
import { VmStatus } from '../domain/vm-status.ts';
import type { Recollection } from '../ports/fleet.ts';

const Status = z.object({
  key: z.string(),
  id: z.string(),
  at: z.int(),
  status: VmStatus,
  message: z.string(),
});

const FleetItem = z.object({
  /** The instance id. */
  pk: z.string(),
  vmId: z.string(),
  region: z.string(),
  account: z.string(),
  sequence: z.int(),
  state: z.optional(InstanceState),
  notice: z.optional(z.object({ notice: NoticeKind, at: z.int(), text: z.string() })),
  deleteRequested: z.optional(z.boolean()),
  latest: z.optional(Status),
  repeatedAt: z.optional(z.int()),
  outbox: z.record(z.string(), Status),
});

/** @throws UnreadableError where the item was not written by dynamodb-fleet.ts. */
export const vmOf = (item: Record<string, unknown>): Vm => {
  const parsed = FleetItem.safeParse(item);
  if (!parsed.success) {
    const why = reasonOf(parsed.error);
    throw new UnreadableError(`the fleet's item of ${item.pk} makes no sense: ${why}`, {
      cause: parsed.error,
    });
  }
  const { pk, outbox, ...vm } = parsed.data;
  const ascending = Object.values(outbox).sort((a, b) => (a.key < b.key ? -1 : 1));
  return { ...vm, instanceId: pk, outbox: ascending };
};

/** An item without a `vmId` remembers, until it expires, that the instance is not ours. */
export const recollectionOf = (item: Record<string, unknown> | undefined, nowMs: number): Recollection => {
  if (item?.vmId === undefined)
    return Number(item?.expiresAt ?? 0) > nowMs / 1000 ? { owner: 'others' } : { owner: 'unknown' };
  try {
    return { owner: 'us', vm: vmOf(item) };
  } catch (error) {
    if (error instanceof UnreadableError) return { owner: 'unreadable', error };
    throw error;
  }
};
