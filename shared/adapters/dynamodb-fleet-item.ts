import * as z from 'zod/mini';
import { reasonOf, UnreadableError } from '../domain/errors.ts';
import { InstanceState } from '../domain/instance.ts';
import { NoticeKind } from '../domain/signal.ts';
import type { Vm } from '../domain/vm.ts';
import { VmStatus } from '../domain/vm-status.ts';
import type { Recollection } from '../ports/fleet.ts';
import { unpacked } from './dynamodb-fleet-history.ts';

/** An unpublished status. */
export const Status = z.object({
  key: z.string(),
  id: z.string(),
  at: z.int(),
  status: VmStatus,
  message: z.string(),
  requestId: z.optional(z.string()),
  republishedAt: z.optional(z.int()),
});

const noticeFields = { at: z.int(), text: z.string() };

/** The attribute that has a VM's newest notice of a kind: one for each, so that no kind's update can undo another one's. */
export const noticeAttribute = (kind: NoticeKind): string => `notice#${kind}`;

const FleetItem = z.object({
  /** The instance id. */
  pk: z.string(),
  vmId: z.string(),
  region: z.string(),
  account: z.string(),
  sequence: z.int(),
  state: z.optional(InstanceState),
  /** Written by versions that kept one notice in all. */
  notice: z.optional(z.object({ notice: NoticeKind, ...noticeFields })),
  /** From an attribute for each kind (noticeAttribute). */
  notices: z.partialRecord(NoticeKind, z.object(noticeFields)),
  deleteRequested: z.optional(z.boolean()),
  latest: z.optional(Status),
  repeatedAt: z.optional(z.int()),
  privateAddress: z.optional(z.string()),
  publicAddress: z.optional(z.string()),
  getsPublicAddress: z.optional(z.boolean()),
  isWindows: z.optional(z.boolean()),
  outbox: z.record(z.string(), Status),
  history: z.record(z.string(), z.string()),
});

/** @throws UnreadableError where the item was not written by dynamodb-fleet.ts. */
export const vmOf = (item: Record<string, unknown>): Vm => {
  const kinds = NoticeKind.options.filter((kind) => item[noticeAttribute(kind)] !== undefined);
  const byKind = Object.fromEntries(kinds.map((kind) => [kind, item[noticeAttribute(kind)]]));
  const parsed = FleetItem.safeParse({ ...item, notices: byKind });
  if (!parsed.success) {
    const why = reasonOf(parsed.error);
    throw new UnreadableError(`the fleet's item of ${item.pk} makes no sense: ${why}`, {
      cause: parsed.error,
    });
  }
  const { pk, outbox, history, notice, notices, ...vm } = parsed.data;
  const known = notice ? { [notice.notice]: { at: notice.at, text: notice.text }, ...notices } : notices;
  const past = Object.entries(history).map(([key, text]) => unpacked(pk, key, text));
  return {
    ...vm,
    ...(Object.keys(known).length > 0 && { notices: known }),
    instanceId: pk,
    outbox: Object.values(outbox).sort(byKey),
    history: past.sort(byKey),
  };
};

const byKey = (a: { readonly key: string }, b: { readonly key: string }): number => (a.key < b.key ? -1 : 1);

/** An item without a `vmId` remembers, until it expires, that the instance is not ours. */
export const recollectionOf = (item: Record<string, unknown> | undefined, nowMs: number): Recollection => {
  if (item?.vmId === undefined)
    return Number(item?.expiresAt ?? 0) > nowMs / 1000 ? others(item?.duplicateOf) : { owner: 'unknown' };
  try {
    return { owner: 'us', vm: vmOf(item) };
  } catch (error) {
    if (error instanceof UnreadableError) return { owner: 'unreadable', error };
    throw error;
  }
};

const others = (duplicateOf: unknown): Recollection =>
  typeof duplicateOf === 'string' ? { owner: 'others', duplicateOf } : { owner: 'others' };
