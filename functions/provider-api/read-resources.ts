import { NotFoundError } from '../../shared/core/errors.ts';
import { nameOf } from '../../shared/core/kind.ts';
import {
  type Facts,
  hasEnded,
  isLaunched,
  type LaunchedRecord,
  type ResourceRecord,
} from '../../shared/core/record.ts';
import { type Target, targetName } from '../../shared/core/target.ts';
import { pageToken, positionOf } from '../../shared/http/paging.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Ownership, ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import type { Lifecycle } from './lifecycle.ts';

type Parts<Launch, Known extends Facts, Answer> = {
  readonly records: Pick<Records<Launch, Known>, 'read' | 'list' | 'end'>;
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly type: Pick<Lifecycle<never, Launch, Known, Answer, never>, 'format' | 'answerOf'>;
  readonly now: Clock;
  readonly log: Log;
};

export type ListAsked = {
  readonly target: Target & { readonly alias?: string | undefined };
  /** 1 to 100. */
  readonly maximumPageSize: number;
  /** From the page before; undefined for the first one. */
  readonly pageToken: string | undefined;
};

export type Page<Answer> = {
  readonly results: Answer[];
  /** Undefined on the last page. */
  readonly next_page_token?: string | undefined;
};

/** The published statuses of a resource, the newest first. */
export type Events = {
  readonly results: { readonly status: string; readonly message: string; readonly update_time: string }[];
};

/** Reads resources from their records and the resource store, never from AWS. Resources that have ended are not found. */
export const readResources = <Launch, Known extends Facts, Answer>(parts: Parts<Launch, Known, Answer>) => {
  const { records, resourceStore, type, now, log } = parts;
  const { answerOf } = type;
  const name = nameOf(type.format.kind.serviceType);
  type Found = ResourceRecord<Launch, Known>;
  type Held = { readonly record: Found; readonly held: Ownership };

  const withOwnership = async (read: readonly Found[]): Promise<Held[]> => {
    const found = await resourceStore.read(read.filter(isLaunched).map(({ resourceId }) => resourceId));
    return read.map((record) => ({
      record,
      held: found.get(record.resourceId ?? '') ?? { owner: 'unknown' },
    }));
  };

  const find = async (dcmId: string): Promise<Held> => {
    const record = await records.read(dcmId);
    const [found] = record ? await withOwnership([record]) : [];
    if (!found) throw new NotFoundError(`there is no ${name} ${dcmId}`);
    if (found.held.owner === 'unreadable') throw found.held.error;
    return found;
  };

  /** One unreadable item is left out of its page; the others are answered. */
  const isReadable = ({ record, held }: Held): boolean => {
    if (held.owner !== 'unreadable') return true;
    log.error(`a ${name} is missing from a listing`, { dcmId: record.dcmId, error: held.error });
    return false;
  };

  /** Later listings then do not read the record again. */
  const endRecord = async ({ dcmId, resourceId }: ResourceRecord): Promise<void> => {
    if (resourceId === undefined) return;
    await records
      .end(dcmId, resourceId)
      .catch((error: unknown) =>
        log.warn(`the record of an ended ${name} was not updated`, { dcmId, error }),
      );
  };

  return {
    /** @throws NotFoundError */
    async get(dcmId: string): Promise<Answer> {
      const { record, held } = await find(dcmId);
      if (isNotFound(record, held, now()))
        throw new NotFoundError(`${name} ${dcmId} does not exist any more`);
      return answerOf(record, held, now());
    },

    /**
     * The resources of a target, in the order of their ids. A page may be short, and not be the last one.
     * @throws InvalidArgumentError for a page token that is not one of this target.
     */
    async list({ target, maximumPageSize, pageToken: token }: ListAsked): Promise<Page<Answer>> {
      const after = token ? positionOf(token, targetName(target)) : '';
      const { records: read, last } = await records.list(target, after, maximumPageSize);
      const readable = (await withOwnership(read)).filter(isReadable);
      const notFound = readable.filter(({ record, held }) => isNotFound(record, held, now()));
      await Promise.all(notFound.map(({ record }) => endRecord(record)));
      const present = readable.filter((one) => !notFound.includes(one));
      return {
        results: present.map(({ record, held }) => answerOf(record, held, now())),
        ...(last !== undefined && { next_page_token: pageToken(targetName(target), last) }),
      };
    },

    /** The published statuses, the newest first; also of a resource that has ended, while its item is kept. @throws NotFoundError */
    async events(dcmId: string): Promise<Events> {
      const { held } = await find(dcmId);
      const history = held.owner === 'ours' && held.vm.dcmId === dcmId ? held.vm.history : [];
      return {
        results: history.toReversed().map(({ at, status, message }) => ({
          status,
          message,
          update_time: new Date(at * 1000).toISOString(),
        })),
      };
    },
  };
};

/** What the resource store holds of a record's resource. */
export const ownershipOf = async (
  resourceStore: Pick<ResourceStore, 'read'>,
  { resourceId }: Pick<LaunchedRecord, 'resourceId'>,
): Promise<Ownership> => (await resourceStore.read([resourceId])).get(resourceId) ?? { owner: 'unknown' };

/** The API answers 404 for it: the resource does not exist any more. One whose launch failed exists, as FAILED, until DCM deletes it. */
export const isNotFound = (record: ResourceRecord, held: Ownership, nowMs: number): boolean => {
  if (!isLaunched(record) || !hasEnded(record, held, nowMs)) return false;
  const hasFailed =
    held.owner === 'ours' && held.vm.dcmId === record.dcmId && held.vm.latest?.status === 'FAILED';
  return !hasFailed || record.deleteRequestedAtMs !== undefined || record.endedAtMs !== undefined;
};

type CountingParts<Answer> = {
  readonly records: Pick<Records, 'count'>;
  /** As `readResources` lists. */
  readonly list: (asked: ListAsked) => Promise<Page<Answer>>;
  /** Whether a resource counts towards the maximum. */
  readonly isLiving: (answer: Answer) => boolean;
  readonly targets: readonly Target[];
  readonly maximum: number;
};

const largestPage = 100;

/**
 * How many resources live, over all targets. A count of the records is cheap, but includes those that were terminated outside DCM: only
 * where it reaches the maximum are the resources listed and counted one by one.
 */
export const countLiving =
  <Answer>({ records, list, isLiving, targets, maximum }: CountingParts<Answer>) =>
  async (): Promise<number> => {
    const estimate = sum(await Promise.all(targets.map((target) => records.count(target))));
    return estimate < maximum ? estimate : sum(await Promise.all(targets.map((target) => living(target))));

    async function living(target: Target, pageToken?: string): Promise<number> {
      const page = await list({ target, maximumPageSize: largestPage, pageToken });
      const counted = page.results.filter(isLiving).length;
      return counted + (page.next_page_token ? await living(target, page.next_page_token) : 0);
    }
  };

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);
