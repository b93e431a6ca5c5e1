import * as z from 'zod/mini';
import { isStateKey, partsOf, secondOfKey, stateOfKey, wordOfKey } from '../gate.ts';
import { type Kind, ServiceType } from '../kind.ts';
import type { BilledFacts } from '../outputs.ts';

const text = z.string().check(z.minLength(1));

/** What the ledger keeps of one published status: the state that a resource was in, and since when. */
export const UsageEvent = z.object({
  /** The resource's id (Kind.hasId). */
  resource: text,
  /** The status's key (core/gate.ts): the second of the state, its rank, and what the status was about besides. */
  key: text,
  dcmId: text,
  serviceType: ServiceType,
  /** Key of the target (core/target.ts). */
  target: text,
  /** Id of the account that AWS charges. */
  account: z.optional(text),
  /** As BilledFacts (core/outputs.ts) have them. */
  size: z.optional(text),
  platform: z.optional(text),
  zone: z.optional(text),
  /** The service's code for the change, such as `Client.UserInitiatedHibernate`. */
  reason: z.optional(text),
  /** The resource was no longer reported under its DCM id. */
  isReleased: z.optional(z.boolean()),
});
export type UsageEvent = z.infer<typeof UsageEvent>;

/**
 * A time without interruption in which a resource was in states that AWS bills, and had one DCM id. Seconds since 1970; the end is not part
 * of it. Without an end it goes on.
 */
export type Interval = BilledFacts &
  Pick<UsageEvent, 'resource' | 'dcmId' | 'serviceType' | 'target' | 'account'> & {
    readonly from: number;
    readonly until?: number | undefined;
    /** Why it ended, as far as the service says so. */
    readonly stopReason?: string | undefined;
    /** Where AWS counts its minimum from: the interval's own begin, or that of the interval before it, which had another DCM id. */
    readonly startedAt: number;
  };

/**
 * The intervals that events prove, by resource and time. Events may be late, repeated and in any order: the result depends on the set of
 * events alone. Of resources whose kind has no billed states there are none.
 */
export const intervalsOf = (events: readonly UsageEvent[], kinds: readonly Kind[]): Interval[] => {
  const byType = new Map(kinds.map((kind) => [kind.serviceType, kind]));
  return [...byResource(events).values()].flatMap((own) => {
    const kind = byType.get(own[0]?.serviceType ?? 'vm');
    return kind === undefined ? [] : intervalsOfResource(kind, inOrder(own));
  });
};

const byResource = (events: readonly UsageEvent[]): ReadonlyMap<string, UsageEvent[]> => {
  const groups = new Map<string, UsageEvent[]>();
  for (const event of events) {
    const own = groups.get(event.resource);
    if (own) own.push(event);
    else groups.set(event.resource, [event]);
  }
  return new Map([...groups].sort(([a], [b]) => compare(a, b)));
};

const compare = (a: string, b: string): number => (a === b ? 0 : a < b ? -1 : 1);

/**
 * Each event once. Keys order as strings, but of a resource whose DCM id changes the last status of the old id comes before the first one of
 * the new id. Two versions of one event, such as an event and the same one carried into another month, differ in facts alone.
 */
const inOrder = (events: readonly UsageEvent[]): UsageEvent[] => {
  const byKey = new Map<string, UsageEvent>();
  for (const event of [...events].sort((a, b) => compare(JSON.stringify(a), JSON.stringify(b)))) {
    const same = `${event.key} ${event.dcmId}`;
    byKey.set(same, { ...byKey.get(same), ...event });
  }
  return [...byKey.values()].sort((a, b) => compare(a.key, b.key) || compare(a.dcmId, b.dcmId));
};

/** The second from which on an event's state holds. A notice or a republication is of a state that held before. */
const sinceOf = ({ key }: UsageEvent): number =>
  isStateKey(key) || wordOfKey(key) !== 'moved' ? partsOf(Number.parseInt(key, 10)).at : secondOfKey(key);

const isBilled = (kind: Kind, event: UsageEvent): boolean =>
  event.isReleased !== true && kind.billedStates.has(stateOfKey(kind, event.key));

type Open = Interval & { readonly own: readonly UsageEvent[] };

const intervalsOfResource = (kind: Kind, events: readonly UsageEvent[]): Interval[] => {
  const intervals: Interval[] = [];
  let open: Open | undefined;
  const close = (until: number, stopReason?: string) => {
    if (open === undefined) return;
    const { own, ...interval } = open;
    const { from } = interval;
    intervals.push({
      ...interval,
      ...factsOf(own, events),
      ...(Number.isFinite(until) && { until: Math.max(until, from) }),
      ...(stopReason !== undefined && { stopReason }),
    });
    open = undefined;
  };

  for (const [index, event] of events.entries()) {
    if (isBilled(kind, event)) {
      const since = sinceOf(event);
      if (open !== undefined && open.dcmId !== event.dcmId) {
        const { startedAt } = open;
        close(secondOfKey(event.key));
        open = { ...begun(event, secondOfKey(event.key)), startedAt };
      } else open ??= begun(event, since);
      open = { ...open, own: [...open.own, event] };
    } else if (open !== undefined) {
      const end = endOf(kind, events.slice(index));
      if (end !== undefined) close(end.until, end.reason);
    }
  }
  close(Number.POSITIVE_INFINITY);
  return intervals.filter(({ from, until }) => until === undefined || until > from);
};

const begun = ({ resource, dcmId, serviceType, target, account }: UsageEvent, from: number): Open => ({
  ...{ resource, dcmId, serviceType, target, from, startedAt: from, own: [] },
  ...(account !== undefined && { account }),
});

/**
 * When billing ends, by the event that ended it and those that follow it. An instance that hibernates is billed until it is stopped, and
 * what shows that may come with its stop only. Undefined: not yet.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 */
const endOf = (
  kind: Kind,
  following: readonly UsageEvent[],
): { readonly until: number; readonly reason: string | undefined } | undefined => {
  const next = following.findIndex((event) => isBilled(kind, event));
  const [first, ...others] = next === -1 ? following : following.slice(0, next);
  if (first === undefined) return undefined;
  const unbilled = [first, ...others];
  const reason = unbilled.find((event) => event.reason !== undefined)?.reason;
  const { billedWhileHibernating } = kind;
  const hibernates =
    billedWhileHibernating !== undefined &&
    stateOfKey(kind, first.key) === billedWhileHibernating &&
    unbilled.some((event) => event.reason !== undefined && /hibernate/i.test(event.reason));
  if (!hibernates) return { until: sinceOf(first), reason };
  const after = unbilled.find((event) => stateOfKey(kind, event.key) !== billedWhileHibernating);
  const restarted = next === -1 ? undefined : following[next];
  const last = after ?? restarted;
  return last && { until: sinceOf(last), reason };
};

const factNames = ['size', 'platform', 'zone'] as const;

/**
 * The newest that is known of an interval: an instance's type changes only while it is stopped, so every event of the interval may show it.
 * Where none does, what was known before it, or else after it.
 */
const factsOf = (own: readonly UsageEvent[], all: readonly UsageEvent[]): BilledFacts => {
  const first = all.findIndex((event) => event.key === own[0]?.key);
  const last = all.findLastIndex((event) => event.key === own.at(-1)?.key);
  const sources = [...own.toReversed(), ...all.slice(0, first).toReversed(), ...all.slice(last + 1)];
  return Object.fromEntries(
    factNames.flatMap((name) => {
      const value = sources.find((event) => event[name] !== undefined)?.[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
};

/**
 * The events of which the next months need a copy, so that each month's events are enough to tell what was billed in it: of a resource that
 * is billed, the begin with all that is known, and the event before it. `settled`: also of each resource that is not billed the newest event, which
 * corrects what was carried before.
 */
export const carriedOf = (
  events: readonly UsageEvent[],
  kinds: readonly Kind[],
  { settled }: { readonly settled: boolean },
): UsageEvent[] => {
  const byType = new Map(kinds.map((kind) => [kind.serviceType, kind]));
  return [...byResource(events).values()].flatMap((unordered) => {
    const own = inOrder(unordered);
    const last = own.at(-1);
    const kind = last && byType.get(last.serviceType);
    if (kind === undefined || last === undefined) return [];
    const open = intervalsOfResource(kind, own).at(-1);
    if (open === undefined || open.until !== undefined) return settled ? [last] : [];
    const end = own.findLastIndex((event) => !isBilled(kind, event) && sinceOf(event) <= open.startedAt);
    return [...own.slice(Math.max(end, 0), end + 1), ...own.slice(end + 1).filter(decides)].map((event) =>
      isBilled(kind, event) ? { ...event, ...knownOf(open) } : event,
    );

    /** Notices and republications of a state say nothing more about its time. */
    function decides(event: UsageEvent, index: number): boolean {
      return index === 0 || isStateKey(event.key) || wordOfKey(event.key) === 'moved';
    }
  });
};

const knownOf = (interval: BilledFacts): BilledFacts =>
  Object.fromEntries(
    factNames.flatMap((name) => (interval[name] === undefined ? [] : [[name, interval[name]]])),
  );
