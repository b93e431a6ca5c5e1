import { batch, computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { needsAttention } from '../../shared/core/attention.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import type { Overview, OverviewResource, OverviewTarget } from '../../shared/wire/overview.ts';
import {
  type Control,
  control,
  hasToken,
  isLaptop,
  type ReadChanges,
  RequestError,
  readChanges,
  readOverview,
  readResource,
  serviceIdOf,
  sizeOf,
  streamChanges,
  useToken,
} from './api.ts';
import { type Filtered, termsOf } from './filter.ts';
import { exactNowMs, nowMs, setProviderTime, type Zone, zone, zones } from './times.ts';

/** What a change of a resource changes. Each row has it as one signal, so that a change touches the cells of one row. */
type Current = { readonly status: string; readonly message: string; readonly timeMs: number };
export type Past = {
  readonly status: string;
  readonly timeMs: number;
  /** Of the request that caused it; unknown of what happened before the page was open. */
  readonly requestId?: string | undefined;
};

export type Row = {
  /** `vm/web-1`. */
  readonly key: string;
  readonly dcmId: string;
  readonly serviceType: ServiceType;
  /** The name of the target. */
  readonly target: string;
  readonly createdMs: number;
  readonly current: Signal<Current>;
  readonly history: Signal<readonly Past[]>;
  readonly resourceId: Signal<string>;
  readonly size: Signal<string>;
  /** Undefined: the page has not read them. They come with the overview, not with changes. */
  readonly labels: Signal<Readonly<Record<string, string>> | undefined>;
};

/** A status that was seen while the page was open. */
export type Seen = {
  readonly number: number;
  readonly row: Row;
  readonly status: string;
  readonly message: string;
  readonly timeMs: number;
  /** From the service's clock, which has whole seconds, to this page. */
  readonly afterMs: number;
};

export const collectionOf = { vm: 'vms', container: 'containers', cluster: 'clusters' } as const;
export const nameOf = { vm: 'VM', container: 'container', cluster: 'cluster' } as const;

/** The page needs a token: there is none, or it is not accepted. */
export const needsToken = signal<string | undefined>(hasToken() ? undefined : '');
export const overview = signal<Pick<Overview, 'provider' | 'version' | 'problems'> | undefined>(undefined);
export const targets = signal<readonly OverviewTarget[]>([]);
export const laptop = signal<Control | undefined>(undefined);
/** What the last action that failed said. */
export const notice = signal<string | undefined>(undefined);

const rows = new Map<string, Row>();
/** Grows when a row is added or removed. */
const membership = signal(0);
/** Whoever reads the rows by it in a computed signal is computed again when there are others. */
const currentRows = (): ReadonlyMap<string, Row> => (membership.value < 0 ? new Map() : rows);
export const rowOf = (key: string): Row | undefined => currentRows().get(key);
const allRows = computed(() => [...currentRows().values()]);
const countsAreComplete = signal(true);
export const total = computed(() => allRows.value.length);
export const isPartial = computed(() => !countsAreComplete.value || moreRows.value > 0);
/** How many resources the page has not loaded. */
export const moreRows = signal(0);

const targetByName = computed(() => new Map(targets.value.map((one) => [one.name, one])));
export const targetNamed = (name: string): OverviewTarget | undefined => targetByName.value.get(name);
export const mayWrite = computed(() => targets.value.some((one) => one.mayWrite));
export const pathOf = ({
  target,
  serviceType,
  dcmId,
}: Pick<Row, 'target' | 'serviceType' | 'dcmId'>): string =>
  `${targetByName.peek().get(target)?.path ?? ''}/api/v1alpha1/${collectionOf[serviceType]}/${encodeURIComponent(dcmId)}`;

// What the visitor chose, which is in the URL's hash.

export const sorts = ['id', 'status', 'target', 'age', 'changed'] as const;
export type Sort = (typeof sorts)[number];
export const groups = ['none', 'target', 'account', 'region', 'type', 'status'] as const;
export type Group = (typeof groups)[number] | `label.${string}`;
export const spans = { '15m': 900_000, '1h': 3_600_000, '24h': 86_400_000 } as const;
export type Span = keyof typeof spans;

const defaultSpan: Span = isLaptop ? '15m' : '24h';

export const filter = signal('');
export const faultsOnly = signal(false);
export const sort = signal<Sort>('age');
export const isDescending = signal(true);
export const group = signal<Group>('none');
export const span = signal<Span>(defaultSpan);
export const open = signal<string | undefined>(undefined);

const oneOf = <Word extends string>(words: readonly Word[], given: string | null, otherwise: Word): Word =>
  words.find((word) => word === given) ?? otherwise;

export const isLabelGroup = (by: string): by is `label.${string}` => by.startsWith('label.');

const spanNames = Object.keys(spans).filter((name): name is Span => name in spans);

/** Reads the hash. It never has the token. */
const readHash = (): void =>
  batch(() => {
    const given = new URLSearchParams(location.hash.slice(1));
    filter.value = given.get('filter') ?? '';
    faultsOnly.value = given.get('faults') === '1';
    const sorted = given.get('sort') ?? '-age';
    sort.value = oneOf(sorts, sorted.replace(/^-/, ''), 'age');
    isDescending.value = sorted.startsWith('-');
    const by = given.get('group') ?? '';
    group.value = isLabelGroup(by) ? by : oneOf<Group>(groups, by, 'none');
    span.value = oneOf(spanNames, given.get('span'), defaultSpan);
    zone.value = oneOf<Zone>(zones, given.get('clock'), 'UTC');
    open.value = given.get('open') ?? undefined;
  });
readHash();
addEventListener('hashchange', readHash);

const otherwise = { filter: '', faults: '', sort: '-age', group: 'none', clock: 'UTC', open: '' } as const;

effect(() => {
  const chosen = {
    filter: filter.value,
    faults: faultsOnly.value ? '1' : '',
    sort: `${isDescending.value ? '-' : ''}${sort.value}`,
    group: group.value,
    clock: zone.value,
    open: open.value ?? '',
    span: span.value,
  };
  const defaults: Readonly<Record<string, string>> = { ...otherwise, span: defaultSpan };
  const hash = new URLSearchParams(
    Object.entries(chosen).filter(([name, value]) => value !== defaults[name]),
  ).toString();
  if (hash === location.hash.slice(1)) return;
  history.replaceState(undefined, '', hash === '' ? location.pathname : `#${hash}`);
});

// What the table shows.

export const terms = computed(() => termsOf(filter.value));

/** `at`: what a row shows now, or showed when something happened. */
export const filtered = (row: Row, at: Current = row.current.value): Filtered => {
  const { status, message, timeMs } = at;
  const target = targetNamed(row.target);
  return {
    ...{ dcmId: row.dcmId, serviceType: row.serviceType, status, message, changedMs: timeMs },
    ...{ resourceId: row.resourceId.value, size: row.size.value },
    ...{ targetName: row.target, account: target?.account ?? '', region: target?.region ?? '' },
    labels: row.labels.value ?? {},
  };
};

export const isTroubled = ({ serviceType, current }: Row): boolean =>
  needsAttention({ serviceType, ...current.value });

const hasWindow = computed(() => terms.value.some(({ text }) => text.startsWith('changed:')));

/** Whether a row is shown, by the text and the switch together. */
const isShown = (row: Row): boolean => {
  const at = hasWindow.value ? nowMs.value : 0;
  if (faultsOnly.value && !isTroubled(row)) return false;
  if (terms.value.length === 0) return true;
  const one = filtered(row);
  return terms.value.every(({ matches }) => matches(one, at));
};

const keyOf: Readonly<Record<Sort, (row: Row) => string | number>> = {
  id: ({ dcmId }) => dcmId,
  status: ({ current }) => current.value.status,
  target: ({ target }) => target,
  age: ({ createdMs }) => createdMs,
  changed: ({ current }) => current.value.timeMs,
};

const compare = (a: string | number, b: string | number): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * The shown rows in their order. The rows' statuses are read only where the filter or the order depends on them, so that a change of a status
 * sorts nothing otherwise.
 */
const ordered = computed(() => {
  const of = keyOf[sort.value];
  const sign = isDescending.value ? -1 : 1;
  return allRows.value
    .filter(isShown)
    .map((row) => ({ row, by: of(row) }))
    .sort((a, b) => sign * compare(a.by, b.by) || compare(a.row.key, b.row.key))
    .map(({ row }) => row);
});

/** The visitor stopped everything. */
export const isPaused = signal(false);
/** The pointer or the focus is in the table: rows keep their places, and their cells still change. */
export const isHeld = signal(false);

const placed = signal<readonly Row[]>([]);
effect(() => {
  const next = ordered.value;
  if (!(isHeld.value || isPaused.value)) placed.value = next;
});
/** The rows where they are shown. */
export const shown: ReadonlySignal<readonly Row[]> = computed(() =>
  placed.value.filter((row) => rowOf(row.key) === row),
);
/** How many rows would come in, once they may move. */
export const waiting = computed(() => {
  const here = new Set(placed.value);
  return ordered.value.filter((row) => !here.has(row)).length + held.value.length;
});
export const placeNow = (): void => {
  placed.value = ordered.peek();
};
// What the visitor chooses takes effect at once, also where rows keep their places otherwise.
for (const chosen of [filter, faultsOnly, sort, isDescending]) chosen.subscribe(placeNow);

/** The keys of all labels that were read. */
export const labelKeys = computed(() =>
  [...new Set(allRows.value.flatMap(({ labels }) => Object.keys(labels.value ?? {})))].sort(),
);

export const troubled = computed(() =>
  allRows.value.filter(isTroubled).sort((a, b) => b.current.peek().timeMs - a.current.peek().timeMs),
);

export const counts = computed(() => {
  const by = new Map<ServiceType, Map<string, number>>();
  for (const { serviceType, current } of allRows.value) {
    const of = by.get(serviceType) ?? new Map<string, number>();
    by.set(serviceType, of.set(current.value.status, (of.get(current.value.status) ?? 0) + 1));
  }
  return by;
});

// What happens.

const mostSeen = 200;
export const seen = signal<readonly Seen[]>([]);
let lastNumber = 0;

type Given = Omit<OverviewResource, 'resourceId' | 'size' | 'labels'> & {
  readonly resourceId?: string | undefined;
  readonly size?: string | undefined;
  readonly labels?: Readonly<Record<string, string>> | undefined;
};

const rowFrom = (one: Given): Row => ({
  key: `${one.serviceType}/${one.dcmId}`,
  ...{ dcmId: one.dcmId, serviceType: one.serviceType, target: one.target },
  createdMs: Date.parse(one.createdAt),
  current: signal({ status: one.status, message: one.message, timeMs: Date.parse(one.time) }),
  history: signal(one.history.map(({ status, time }) => ({ status, timeMs: Date.parse(time) }))),
  resourceId: signal(one.resourceId ?? ''),
  size: signal(one.size ?? ''),
  labels: signal(one.labels),
});

/** Adds a resource, or the row that it has already. */
const addRow = (one: Given): Row => {
  const known = rows.get(`${one.serviceType}/${one.dcmId}`);
  if (known !== undefined) return known;
  const row = rowFrom(one);
  rows.set(row.key, row);
  membership.value += 1;
  return row;
};

/** Keys of rows that an answer to a launch added, and of which the feed has said nothing yet. */
const launched = new Set<string>();

/** Adds a resource that a launch has created; its first status still comes by the feed, as DCM gets it. */
export const addLaunched = (one: Given): Row => {
  const key = `${one.serviceType}/${one.dcmId}`;
  if (!rows.has(key)) launched.add(key);
  return addRow(one);
};

type Change = ReadChanges['changes'][number];
type StatusChange = Extract<Change, { kind: 'status' }>;

const removedAfterMs = 20_000;
const mostHistory = 30;

const applyStatus = (change: StatusChange): void => {
  const { dcmId, status, message = '', time, target, requestId } = change;
  const serviceType =
    change.serviceType === 'container' || change.serviceType === 'cluster' ? change.serviceType : 'vm';
  const timeMs = Date.parse(time);
  const key = `${serviceType}/${dcmId}`;
  const isNew = !rows.has(key);
  const isFirst = launched.delete(key) || isNew;
  if (isNew && status === 'DELETED') return;
  const row = addRow({
    ...{ dcmId, serviceType, target, status, message, time, createdAt: time, history: [] },
  });
  const { current } = row;
  const isRepeated = !isFirst && current.peek().status === status && current.peek().message === message;
  // an answer to a launch has the time in milliseconds, the feed in whole seconds
  if (isRepeated || timeMs < Math.floor(current.peek().timeMs / 1000) * 1000) return;
  current.value = { status, message, timeMs };
  row.history.value = [...(isFirst ? [] : row.history.peek()), { status, timeMs, requestId }].slice(
    -mostHistory,
  );
  lastNumber += 1;
  const afterMs = exactNowMs() - timeMs;
  seen.value = [{ number: lastNumber, row, status, message, timeMs, afterMs }, ...seen.peek()].slice(
    0,
    mostSeen,
  );
  if (status === 'DELETED') setTimeout(() => removeRow(row), removedAfterMs);
  else if (row.resourceId.peek() === '' || row.size.peek() === '') void complete(row);
};

const removeRow = (row: Row): void => {
  if (rows.get(row.key) !== row || row.current.peek().status !== 'DELETED') return;
  rows.delete(row.key);
  membership.value += 1;
};

/** Removes a resource that the provider does not have any more. */
export const removeIfGone = async (row: Row): Promise<void> => {
  const isGone = await readResource(pathOf(row)).then(
    () => false,
    (error: unknown) => error instanceof RequestError && error.status === 404,
  );
  if (!isGone) return;
  row.current.value = { ...row.current.peek(), status: 'DELETED' };
  setTimeout(() => removeRow(row), removedAfterMs);
};

const being = new Set<string>();

/** Reads what the feed does not say of a resource. */
const complete = async (row: Row): Promise<void> => {
  if (being.has(row.key)) return;
  being.add(row.key);
  const found = await readResource(pathOf(row)).catch(() => undefined);
  being.delete(row.key);
  if (found === undefined) return;
  row.resourceId.value = serviceIdOf(found) ?? '';
  row.size.value = sizeOf(found) ?? '';
};

/** While the visitor has stopped everything, changes wait here. */
const held = signal<readonly StatusChange[]>([]);

const applyChanges = (changes: readonly StatusChange[]): void =>
  batch(() => {
    for (const change of changes) applyStatus(change);
  });

export const setPaused = (paused: boolean): void => {
  isPaused.value = paused;
  if (paused) return;
  applyChanges(held.peek());
  held.value = [];
};

// How it stays live.

/** When the provider last answered, on this machine's clock; undefined: not yet. */
export const answeredMs = signal<number | undefined>(undefined);
/** Since when it has not answered, and why; undefined: it does. */
export const outage = signal<{ readonly sinceMs: number; readonly reason: string } | undefined>(undefined);

const firstRows = 200;
const allOfThem = 2_000;
const targetsEveryMs = 10_000;
const longestBackoffMs = 10_000;

let cursor: string | undefined;
let wantedRows = firstRows;

const showTargets = (found: Overview): void => {
  setProviderTime(found.time);
  const { provider, version, problems } = found;
  overview.value = { provider, version, problems };
  targets.value = found.targets;
};

/** Reads everything anew. */
const load = async (): Promise<void> => {
  const found = await readOverview(wantedRows);
  batch(() => {
    showTargets(found);
    rows.clear();
    for (const one of found.resources)
      rows.set(`${one.serviceType}/${one.dcmId}`, rowFrom({ labels: {}, ...one }));
    membership.value += 1;
    countsAreComplete.value = found.countsAreComplete;
    moreRows.value = found.counts.reduce((sum, { count }) => sum + count, 0) - found.resources.length;
    placeNow();
  });
  cursor = found.cursor;
  answered();
};

export const loadAll = async (): Promise<void> => {
  wantedRows = allOfThem;
  await load().catch(failed);
};

const answered = (): void => {
  batch(() => {
    answeredMs.value = Date.now();
    outage.value = undefined;
    needsToken.value = undefined;
  });
};

const failed = (error: unknown): void => {
  const reason = error instanceof Error ? error.message : String(error);
  const status = error instanceof RequestError ? error.status : 0;
  if (status === 410) cursor = undefined;
  if (status === 401 || status === 403) {
    needsToken.value = reason;
    useToken('');
  }
  outage.value = { sinceMs: outage.peek()?.sinceMs ?? answeredMs.peek() ?? Date.now(), reason };
};

const take = ({ changes, next }: ReadChanges): void => {
  cursor = next;
  answered();
  const statuses = changes.filter((one) => one.kind === 'status');
  if (statuses.length === 0) return;
  if (isPaused.peek()) held.value = [...held.peek(), ...statuses];
  else applyChanges(statuses);
};

/** Whether changes come by a stream that is open. */
export const isStreaming = signal(false);

/** Follows the feed's event stream until it ends, the page is hidden, or the browser's connection is lost. @returns when to look again, in milliseconds */
const streamFrom = async (after: string): Promise<number> => {
  const left = new AbortController();
  const leave = () => left.abort();
  const onChange = () => document.hidden && leave();
  document.addEventListener('visibilitychange', onChange);
  addEventListener('offline', leave);
  let afterMs = 1_000;
  try {
    for await (const found of streamChanges(after, left.signal)) {
      isStreaming.value = found.isStreamed;
      take(found);
      afterMs = found.pollAfterMs;
    }
  } finally {
    isStreaming.value = false;
    document.removeEventListener('visibilitychange', onChange);
    removeEventListener('offline', leave);
  }
  return afterMs;
};

/** One look at the feed; on a laptop, for as long as it streams. @returns when to look again, in milliseconds */
const look = async (): Promise<number> => {
  if (cursor === undefined) await load();
  if (isLaptop) return streamFrom(cursor ?? '');
  const found = await readChanges(cursor ?? '');
  take(found);
  return found.pollAfterMs;
};

/** Gives each row the labels that it lacks: those that were created after the page was loaded. */
const showLabels = (lacking: readonly Row[], { resources }: Overview): void => {
  const read = new Map(resources.map((one) => [`${one.serviceType}/${one.dcmId}`, one.labels]));
  batch(() => {
    for (const { key, labels } of lacking) labels.value = read.get(key) ?? {};
  });
};

let failedTurn = 0;

/**
 * Removes a row that has failed, and which somebody has deleted since: what has ended, or was never launched, has no further status. Asks
 * for one row each time, in turn, so that many cost no more than one.
 */
const removeDeletedFailure = async (): Promise<void> => {
  const all = [...rows.values()].filter(({ current }) => current.peek().status === 'FAILED');
  failedTurn += 1;
  const row = all[failedTurn % all.length];
  if (row) await removeIfGone(row);
};

export const refreshTargets = async (): Promise<void> => {
  if (needsToken.peek() !== undefined || document.hidden) return;
  const lacking = [...rows.values()].filter(({ labels }) => labels.peek() === undefined);
  await readOverview(lacking.length > 0 ? wantedRows : 0).then(
    (found) => {
      showTargets(found);
      showLabels(lacking, found);
    },
    () => undefined, // the look at the feed reports what fails
  );
  await removeDeletedFailure();
  if (isLaptop) await readLaptop();
};

const readLaptop = async (): Promise<void> => {
  laptop.value = await control('/state').catch(() => laptop.peek());
};

let wake = (): void => {};

/** Waits, but not longer than until the page is shown again or something was done. */
const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    wake = () => {
      clearTimeout(timer);
      resolve();
    };
  });

/** Looks at the feed at once. */
export const lookNow = (): void => wake();

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) wake();
});

const hiddenMs = 2_147_483_647; // until it is shown

/** Follows the feed for as long as the page lives; not while it is hidden. */
export const follow = async (): Promise<never> => {
  if (isLaptop) {
    await readLaptop();
    if (laptop.peek() !== undefined) useToken(laptop.peek()?.token ?? '');
    needsToken.value = hasToken() ? undefined : '';
  }
  setInterval(refreshTargets, targetsEveryMs);
  for (let failures = 0; ; ) {
    if (!hasToken()) {
      await pause(hiddenMs);
      continue;
    }
    const afterMs = await look().then(
      (ms) => {
        failures = 0;
        return ms;
      },
      (error: unknown) => {
        failed(error);
        failures += 1;
        return Math.min(500 * 2 ** failures, longestBackoffMs);
      },
    );
    await pause(document.hidden ? hiddenMs : afterMs);
  }
};

export const logIn = (given: string): void => {
  useToken(given);
  needsToken.value = hasToken() ? undefined : 'Enter a token.';
  cursor = undefined;
  wake();
};
