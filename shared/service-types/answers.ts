import * as z from 'zod/mini';
import { type Kind, nameOf } from '../core/kind.ts';
import { isLaunched, type LaunchedRecord, type ResourceRecord } from '../core/record.ts';
import { describedStatus, type UnpublishedStatus } from '../core/resource.ts';
import type { Ownership } from '../ports/resource-store.ts';

/** Answers of the API that have the same form for every service type. */
type About = Pick<Kind, 'serviceType' | 'collection'>;

/** `Vm`, as in the names of schemas and operations. */
export const schemaNameOf = ({ serviceType }: Pick<Kind, 'serviceType'>): string => capitalised(serviceType);

export const capitalised = (word: string): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

const described = (description: string) => z.string().check(z.describe(description));

/** A page of a collection: of VMs by the key `results`, as AEP has it; of the others by the collection's own name too, as DCM's clients read it. */
export const pageOf = <Resource extends z.ZodMiniType>(kind: About, resource: Resource) => {
  const name = nameOf(kind.serviceType);
  return z
    .object({
      results: z.array(resource),
      ...(kind.collection !== 'vms' && {
        [kind.collection]: z.array(resource).check(z.describe('The same as `results`.')),
      }),
      next_page_token: z.optional(
        described(
          `The token of the next page; absent on the last page. A page without ${name}s can have one.`,
        ),
      ),
    })
    .check(z.meta({ id: `${schemaNameOf(kind)}Page`, description: `A page of ${name}s.` }));
};

/** The published statuses of a resource, of the states that `service` gave it. */
export const eventsOf = <Status extends z.ZodMiniType<string>>(
  kind: About,
  { service, status }: { readonly service: string; readonly status: Status },
) => {
  const id = `${schemaNameOf(kind)}Event`;
  const Event = z
    .object({
      status,
      message: described('The state and its reason, in words.'),
      update_time: z.iso.datetime().check(z.describe(`When ${service} entered the state.`)),
    })
    .check(z.meta({ id, description: 'One status that was published, or is about to be.' }));
  return z
    .object({ results: z.array(Event) })
    .check(z.meta({ id: `${id}s`, description: 'At most ten statuses, the newest first.' }));
};

/** A creation without a resource counts as failed this long after its last lease ended. */
const interruptedAfterMs = 5 * 60_000;

type AnsweredStatus = Pick<UnpublishedStatus, 'at' | 'status' | 'message'>;

type Seen = { readonly held: Ownership; readonly nowMs: number };

/** The status of a resource as the API answers it: the one that was published last, or follows from its record. */
export const answeredStatus = (kind: Kind, record: ResourceRecord, seen: Seen): AnsweredStatus =>
  withDeletion(record, statusOf(kind, record, seen));

const statusOf = (kind: Kind, record: ResourceRecord, { held, nowMs }: Seen): AnsweredStatus => {
  if (isLaunched(record)) return (held.owner === 'ours' && held.vm.latest) || startingStatus(kind, record);
  if (record.failure !== undefined) return record.failure;
  const at = Math.floor(record.updatedAtMs / 1000);
  const { noun, serviceType } = kind;
  if (nowMs < (record.leaseUntilMs ?? 0) + interruptedAfterMs)
    return { at, status: kind.statusOf(kind.startingState), message: `no ${noun} has been launched yet` };
  const message = `the creation was interrupted, and no ${noun} was found; create the ${nameOf(serviceType)} again, or delete it`;
  return { at, status: 'FAILED', message };
};

/** The status that is published of the launch. */
const startingStatus = (kind: Kind, { resourceId, region, account, facts }: LaunchedRecord) =>
  describedStatus(kind, {
    ...{ kind: 'observation', resourceId, region, account, state: kind.startingState, seenBy: 'api' },
    at: Math.floor(facts.launchedAtMs / 1000),
  });

const ended: readonly string[] = ['DELETING', 'DELETED', 'FAILED'];

const withDeletion = (
  { deleteRequestedAtMs }: Pick<ResourceRecord, 'deleteRequestedAtMs'>,
  published: AnsweredStatus,
): AnsweredStatus => {
  if (deleteRequestedAtMs === undefined || ended.includes(published.status)) return published;
  const at = Math.max(published.at, Math.floor(deleteRequestedAtMs / 1000));
  return { at, status: 'DELETING', message: `${published.message}; DCM has requested the deletion` };
};
