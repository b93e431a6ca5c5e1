import { LRUCache } from 'lru-cache';
import { needsAttention } from '../../../shared/core/attention.ts';
import { NotFoundError, reasonOf } from '../../../shared/core/errors.ts';
import type { Collection } from '../../../shared/core/inventory/entry.ts';
import type { Kind } from '../../../shared/core/kind.ts';
import { type ServiceType, serviceNameOf } from '../../../shared/core/kind.ts';
import type { Tags } from '../../../shared/core/ownership.ts';
import { type Facts, isLaunched, type ResourceRecord } from '../../../shared/core/record.ts';
import {
  byTarget,
  type NamedTarget,
  type Target,
  targetKey,
  targetName,
} from '../../../shared/core/target.ts';
import type { Call } from '../../../shared/http/operation.ts';
import type { ChangeFeed } from '../../../shared/ports/change-feed.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { InventoryReader } from '../../../shared/ports/inventory.ts';
import type { Listings } from '../../../shared/ports/listings.ts';
import type { RecordFormat, Records } from '../../../shared/ports/records.ts';
import type { Registration, Registrations } from '../../../shared/ports/registrations.ts';
import type { Ownership, ResourceStore } from '../../../shared/ports/resource-store.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';
import { answeredStatus } from '../../../shared/service-types/answers.ts';
import type { Overview, OverviewResource, OverviewTarget } from '../../../shared/wire/overview.ts';
import type { checkHealth } from '../health/check-health.ts';
import { isNotFound } from '../read-resources.ts';

/** What is listed of a target, and how. */
export type ListedHere = {
  readonly target: NamedTarget;
  readonly serviceType: ServiceType;
  readonly mode: 'streaming' | 'legacy';
};

type Listed = {
  readonly record: ResourceRecord;
  readonly size: string | undefined;
  readonly labels: Tags | undefined;
};

/** One service type, as the overview reads it. */
type OfType = {
  readonly kind: Kind;
  readonly list: (
    target: Target,
    after: string,
  ) => Promise<{
    readonly found: readonly Listed[];
    /** As in RecordsPage. */
    readonly last: string | undefined;
  }>;
};

const pageSize = 100;

/** `sizeOf`: the instance type, or what else says in words how large a resource is. */
export const overviewType = <Launch extends Pick<Facts, 'labels'>, Known extends Facts>(
  { kind }: Pick<RecordFormat<Launch, Known>, 'kind'>,
  records: Pick<Records<Launch, Known>, 'list'>,
  sizeOf: (facts: Known) => string | undefined,
): OfType => ({
  kind,
  async list(target, after) {
    const { records: page, last } = await records.list(target, after, pageSize);
    const found = page.map((record) => ({
      ...{ record, size: record.facts && sizeOf(record.facts) },
      labels: record.facts?.labels ?? record.launch?.labels,
    }));
    return { found, last };
  },
});

type Parts = {
  readonly listed: readonly ListedHere[];
  readonly types: readonly OfType[];
  readonly resourceStore: Pick<ResourceStore, 'read'>;
  readonly listings: Pick<Listings, 'status'>;
  readonly registrations: Pick<Registrations, 'read'>;
  readonly checkHealth: ReturnType<typeof checkHealth>;
  readonly feed: Pick<ChangeFeed, 'read'>;
  /** Undefined: there is none. */
  readonly inventory:
    | { readonly reader: InventoryReader; readonly collections: readonly Collection[] }
    | undefined;
  readonly providerNameOf: (target: NamedTarget, serviceType: ServiceType) => string;
  readonly provider: string;
  readonly version: string;
  readonly now: Clock;
  readonly log: Pick<Log, 'warn'>;
};

/** More are neither counted nor looked at: an answer may take seconds, and has at most 6 MB. */
const mostCounted = 5_000;
const inventoryKeptMs = 30_000;

const noRegistrations: ReadonlyMap<string, Registration> = new Map();

type Found = Pick<Overview, 'counts' | 'countsAreComplete' | 'resources'>;

/**
 * Reads what the console shows at first. The cursor of the change feed is read before everything else, so a change is in the answer, or after
 * the cursor, or both. What cannot be read of a target is missing, and named in `problems`.
 */
export const readOverview = (parts: Parts) => {
  const { listed, feed, provider, version, now } = parts;
  const inventoryOf = cachedCounts(parts);

  return async (rows: number, permits: Call<unknown>['permits']): Promise<Overview> => {
    const problems: string[] = [];
    const visible = listed.filter(({ target }) => permits({ target }));
    const { next: cursor } = await feed.read(undefined, 1);
    const targets = [...new Map(visible.map(({ target }) => [targetKey(target), target])).values()].sort(
      byTarget,
    );
    const [found, answered] = await Promise.all([
      rows === 0 ? nothingFound : findResources(parts, visible, rows),
      Promise.all(targets.map((target) => readTarget(parts, { target, visible, problems, inventoryOf }))),
    ]);
    return {
      ...{ provider, version, cursor, problems, ...found },
      time: new Date(now()).toISOString(),
      targets: answered.map((one, index) => ({
        ...one,
        mayWrite: permits({ target: targets[index], isWrite: true }),
      })),
    };
  };
};

const nothingFound: Found = { counts: [], countsAreComplete: false, resources: [] };

const findResources = async (parts: Parts, visible: readonly ListedHere[], rows: number): Promise<Found> => {
  const { types } = parts;
  const places = visible.flatMap(({ target, serviceType }) =>
    types.flatMap((type) => (type.kind.serviceType === serviceType ? [{ type, target }] : [])),
  );
  const read = await Promise.all(
    places.map((place) => resourcesIn(parts, place, mostCounted / places.length)),
  );
  const resources = read.flatMap((one) => one.resources);
  const counts = new Map<string, Overview['counts'][number]>();
  for (const { serviceType, status } of resources) {
    const key = `${serviceType} ${status}`;
    counts.set(key, { serviceType, status, count: (counts.get(key)?.count ?? 0) + 1 });
  }
  const newestFirst = resources.sort((a, b) => b.time.localeCompare(a.time));
  const troubled = newestFirst.filter(needsAttention);
  const others = newestFirst.filter((one) => !needsAttention(one));
  return {
    counts: [...counts.values()],
    countsAreComplete: read.every(({ isComplete }) => isComplete),
    resources: [...troubled, ...others].slice(0, Math.max(rows, Math.min(troubled.length, pageSize))),
  };
};

type PlaceOfType = { readonly type: OfType; readonly target: NamedTarget };

const resourcesIn = async (parts: Parts, { type, target }: PlaceOfType, most: number) => {
  const resources: OverviewResource[] = [];
  let after: string | undefined = '';
  while (after !== undefined && resources.length < most) {
    const { found, last } = await type.list(target, after);
    const held = await parts.resourceStore.read(found.flatMap(({ record }) => record.resourceId ?? []));
    for (const { record, size, labels } of found) {
      const resource = resourceOf(type.kind, record, held.get(record.resourceId ?? ''), parts.now());
      if (resource)
        resources.push({
          ...{ ...resource, target: targetName(target) },
          ...(size !== undefined && { size }),
          ...(labels !== undefined && { labels }),
        });
    }
    after = last;
  }
  return { resources, isComplete: after === undefined };
};

/** Undefined where the resource has ended, or its item cannot be read. */
const resourceOf = (
  kind: Kind,
  record: ResourceRecord,
  held: Ownership = { owner: 'unknown' },
  nowMs: number,
): Omit<OverviewResource, 'target'> | undefined => {
  if (held.owner === 'unreadable' || isNotFound(record, held, nowMs)) return undefined;
  const { at, status, message } = answeredStatus(kind, record, { held, nowMs });
  const history = held.owner === 'ours' && held.vm.dcmId === record.dcmId ? held.vm.history : [];
  return {
    ...{ dcmId: record.dcmId, serviceType: kind.serviceType },
    ...{ status, message, time: secondsAsTime(at) },
    ...(isLaunched(record) && { resourceId: serviceNameOf(record.resourceId) }),
    ...(record.adopted && { adopted: true }),
    createdAt: new Date(record.createdAtMs).toISOString(),
    history: history.map((past) => ({ status: past.status, time: secondsAsTime(past.at) })),
  };
};

const secondsAsTime = (seconds: number): string => new Date(seconds * 1000).toISOString();
const optionalTime = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

type CountsOf = (target: Target) => Promise<OverviewTarget['inventory']>;
type TargetAsked = {
  readonly target: NamedTarget;
  readonly visible: readonly ListedHere[];
  /** Gets what could not be read. */
  readonly problems: string[];
  readonly inventoryOf: CountsOf;
};

const readTarget = async (
  parts: Parts,
  { target, visible, problems, inventoryOf }: TargetAsked,
): Promise<Omit<OverviewTarget, 'mayWrite'>> => {
  const { listings, registrations, providerNameOf, log } = parts;
  const here = visible.filter((one) => targetKey(one.target) === targetKey(target));
  const orMissing = async <Answer>(what: string, missing: Answer, asked: Promise<Answer>): Promise<Answer> =>
    asked.catch((error: unknown) => {
      problems.push(`${what} of ${targetName(target)}: ${reasonOf(error)}`);
      log.warn('the overview lacks something', { what, target: targetName(target), error });
      return missing;
    });
  const names = here.map(({ serviceType }) => providerNameOf(target, serviceType));
  const [statuses, registered, healths, inventory] = await Promise.all([
    orMissing(
      'the listings',
      [],
      listings.status(here.map(({ serviceType }) => ({ ...target, serviceType }))),
    ),
    orMissing('the registrations', noRegistrations, registrations.read(names)),
    Promise.all(here.map(({ serviceType }) => healthOf(parts, { ...target, serviceType }))),
    orMissing('the inventory', undefined, inventoryOf(target)),
  ]);
  return {
    name: targetName(target),
    region: target.region,
    account: target.alias ?? 'home',
    path: `/${targetName(target)}`,
    listings: here.flatMap(({ serviceType, mode }, index) => {
      const status = statuses[index];
      if (status === undefined) return [];
      const listedAt = optionalTime(status.listedAtMs);
      const breakerSince = optionalTime(status.breakerSinceMs);
      const healedAt = optionalTime(status.healedAtMs);
      const requested = status.republicationRequestedAt;
      return [
        {
          ...{ serviceType, mode, intervalSeconds: status.intervalSeconds, resources: status.instances },
          ...(listedAt !== undefined && { listedAt }),
          ...(mode === 'streaming' && { healed: status.healed }),
          ...(mode === 'streaming' && healedAt !== undefined && { healedAt }),
          ...(breakerSince !== undefined && { breakerSince }),
          ...(requested !== undefined && { republicationRequestedAt: secondsAsTime(requested) }),
        },
      ];
    }),
    providers: here.flatMap(({ serviceType }, index) => {
      const health = healths[index];
      const name = names[index] ?? '';
      const registration = registered.get(name);
      if (health === undefined) return [];
      return [
        {
          ...{ serviceType, name, health: health.status },
          ...(health.detail !== undefined && { detail: health.detail }),
          ...(registration && {
            registration: {
              ...{ outcome: registration.outcome, detail: registration.detail },
              at: secondsAsTime(registration.at),
            },
          }),
        },
      ];
    }),
    ...(inventory !== undefined && { inventory }),
  };
};

/** Undefined: no such resources are created there, so DCM has no provider for them. */
const healthOf = (
  { checkHealth: check }: Parts,
  asked: NamedTarget & { readonly serviceType: ServiceType },
) =>
  check(asked).catch((error: unknown) => {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  });

/** The counts of the inventory in a target, at most half a minute old: each costs a read or more. */
const cachedCounts = ({ inventory, now }: Parts): CountsOf => {
  if (inventory === undefined) return async () => undefined;
  const { reader, collections } = inventory;
  const kept = new LRUCache<string, NonNullable<OverviewTarget['inventory']>, { readonly target: Target }>({
    ...{ max: 200, ttl: inventoryKeptMs, ttlResolution: 0, perf: { now } },
    async fetchMethod(_key, _stale, { context: { target } }) {
      const snapshots = await Promise.all(
        collections.map(async (collection) => ({
          collection,
          snapshot: await reader.snapshot({ target, collection }),
        })),
      );
      return snapshots.flatMap(({ collection, snapshot }) =>
        snapshot === undefined
          ? []
          : [{ collection, count: snapshot.count, listedAt: new Date(snapshot.listedAtMs).toISOString() }],
      );
    },
  });
  return (target) => kept.forceFetch(targetKey(target), { context: { target } });
};
