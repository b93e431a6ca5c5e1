import * as z from 'zod/mini';
import { isStateKey, listedEarlySeconds, partsOf, secondOfKey, stateOfKey, wordOfKey } from '../gate.ts';
import { type Kind, ServiceType } from '../kind.ts';
import { type BilledFacts, billedFactsOf } from '../outputs.ts';
import { type Month, monthOf } from './month.ts';

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
  market: z.optional(z.enum(['spot'])),
  /** How the state was seen first, where not by an event of the service: its second may then be some seconds early. */
  seenBy: z.optional(z.enum(['listing', 'request'])),
  /** This is no status, but the key that a state has by the service's event, which came after the state was published with another one. */
  isCorrection: z.optional(z.boolean()),
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
    /** How begin and end are known; undefined: by an event of the service. */
    readonly beginSeenBy?: UsageEvent['seenBy'];
    readonly endSeenBy?: UsageEvent['seenBy'];
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

const prefixOf = (key: string): string => key.split('-', 1)[0] ?? key;

/** A listing or an answer shows a state at most so many seconds before the second that the service's event gives it (core/gate.ts, listingTime). */
const guessedEarlySeconds = 10;

/** The months whose usage an event may decide: of a correction, also that of the state that it corrects. */
export const monthsOf = ({ key, isCorrection }: Pick<UsageEvent, 'key' | 'isCorrection'>): Month[] => {
  const second = secondOfKey(key);
  return [...new Set([monthOf(isCorrection ? second - guessedEarlySeconds : second), monthOf(second)])];
};

/**
 * States with the second of the service's event, also where they were published with the one of a listing or an answer. What was published of such a
 * state besides, as a notice, moves with it. Where an event of the same state follows much later, it is about another change.
 */
const corrected = (events: readonly UsageEvent[]): UsageEvent[] => {
  const isGuessed = new Map<string, boolean>();
  for (const { key, seenBy } of events)
    if (isStateKey(key)) isGuessed.set(key, seenBy !== undefined && isGuessed.get(key) !== false);
  const keys = [...isGuessed.keys()].sort(compare);
  const right = new Map(
    keys.flatMap((key, index) => {
      const next = keys[index + 1] ?? '';
      const isOfSameState = key.at(-1) === next.at(-1); // the rank of the state
      const isOfSameChange = secondOfKey(next) - secondOfKey(key) <= guessedEarlySeconds;
      const isWrong = isGuessed.get(key) === true && isGuessed.get(next) === false;
      return isWrong && isOfSameState && isOfSameChange ? [[key, next] as const] : [];
    }),
  );
  return events
    .filter(({ isCorrection }) => isCorrection !== true)
    .map((event) => {
      const published = prefixOf(event.key);
      const key = right.get(published);
      if (key === undefined) return event;
      const { seenBy: _, ...rest } = event;
      return { ...rest, key: `${key}${event.key.slice(published.length)}` };
    });
};

/**
 * Each event once. Keys order as strings, but of a resource whose DCM id changes the last status of the old id comes before the first one of
 * the new id. Two versions of one event, such as an event and the same one carried into another month, differ in facts alone.
 */
const inOrder = (events: readonly UsageEvent[]): UsageEvent[] => {
  const byKey = new Map<string, UsageEvent>();
  const texts = corrected(events).map((event) => ({ event, text: JSON.stringify(event) }));
  for (const { event } of texts.sort((a, b) => compare(a.text, b.text))) {
    const same = `${event.key} ${event.dcmId}`;
    byKey.set(same, { ...byKey.get(same), ...event });
  }
  return [...byKey.values()].sort((a, b) => compare(a.key, b.key) || compare(a.dcmId, b.dcmId));
};

/** The second from which on an event's state holds. A notice or a republication is of a state that held before. */
const sinceOf = ({ key }: Pick<UsageEvent, 'key'>): number =>
  isStateKey(key) || wordOfKey(key) !== 'moved' ? partsOf(Number.parseInt(key, 10)).at : secondOfKey(key);

const isBilled = (kind: Kind, event: UsageEvent): boolean =>
  event.isReleased !== true && kind.billedStates.has(stateOfKey(kind, event.key));

/** `last`: index of its newest event. */
type Open = Interval & { readonly last: number };

const intervalsOfResource = (kind: Kind, events: readonly UsageEvent[]): Interval[] => {
  const intervals: Interval[] = [];
  const facts = factsBetween(events);
  let open: Open | undefined;
  const close = (until: number, { reason: stopReason, seenBy: endSeenBy }: Partial<End> = {}) => {
    if (open === undefined) return;
    const { last, ...interval } = open;
    const { from } = interval;
    intervals.push({
      ...interval,
      ...facts(last),
      ...(Number.isFinite(until) && { until: Math.max(until, from) }),
      ...(stopReason !== undefined && { stopReason }),
      ...(endSeenBy !== undefined && { endSeenBy }),
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
      open = { ...open, last: index };
    } else if (open !== undefined) {
      const end = endOf(kind, events, index);
      if (end !== undefined) close(end.until, end);
    }
  }
  close(Number.POSITIVE_INFINITY);
  return intervals.filter(({ from, until }) => until === undefined || until > from);
};

const begun = (
  { resource, dcmId, serviceType, target, account, seenBy }: UsageEvent,
  from: number,
): Open => ({
  ...{ resource, dcmId, serviceType, target, from, startedAt: from, last: 0 },
  ...(account !== undefined && { account }),
  ...(seenBy !== undefined && { beginSeenBy: seenBy }),
});

type End = {
  readonly until: number;
  readonly reason: string | undefined;
  readonly seenBy: UsageEvent['seenBy'];
};

/**
 * When billing ends, by the event that ended it and those that follow it. An instance that hibernates is billed until it is stopped, and
 * what shows that may come with its stop only. Undefined: not yet. `at`: index of the event.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html
 */
const endOf = (kind: Kind, events: readonly UsageEvent[], at: number): End | undefined => {
  const unbilled: UsageEvent[] = [];
  let next = at;
  for (; next < events.length; next++) {
    const event = events[next];
    if (event === undefined || isBilled(kind, event)) break;
    unbilled.push(event);
  }
  const [first] = unbilled;
  if (first === undefined) return undefined;
  const reason = unbilled.find((event) => event.reason !== undefined)?.reason;
  const { billedWhileHibernating } = kind;
  const hibernates =
    billedWhileHibernating !== undefined &&
    stateOfKey(kind, first.key) === billedWhileHibernating &&
    unbilled.some((event) => event.reason !== undefined && /hibernate/i.test(event.reason));
  if (!hibernates) return { until: endedAt(kind, first, events[at + 1]), reason, seenBy: first.seenBy };
  const last =
    unbilled.find((event) => stateOfKey(kind, event.key) !== billedWhileHibernating) ?? events[next];
  return last && { until: sinceOf(last), reason, seenBy: last.seenBy };
};

/**
 * The answer to a request shows a state in the second in which it was asked for, but is dated as a listing, so that the service's event is newer. Where
 * no event came, or one of a later state in the same second, that second is nearer; the state was over by the next one.
 */
const endedAt = (
  kind: Kind,
  event: Pick<UsageEvent, 'key' | 'seenBy'>,
  next: Pick<UsageEvent, 'key'> | undefined,
): number => {
  const isDatedEarly = event.seenBy === 'request' && kind.timedBy === 'sight';
  if (!isDatedEarly) return sinceOf(event);
  const second = sinceOf(event) + listedEarlySeconds;
  return next === undefined ? second : Math.min(second, secondOfKey(next.key));
};

/**
 * The newest that is known of an interval, by the index of its last event: an instance's type changes only while it is stopped, so every event of the
 * interval may show it. Where none does, what was known before it, or else after it.
 */
const factsBetween = (events: readonly UsageEvent[]): ((last: number) => BilledFacts) => {
  const newest: BilledFacts[] = [];
  for (const event of events) newest.push({ ...newest.at(-1), ...billedFactsOf(event) });
  const next: BilledFacts[] = [];
  for (const event of events.toReversed()) next.push({ ...next.at(-1), ...billedFactsOf(event) });
  return (last) => ({ ...next[events.length - 2 - last], ...newest[last] });
};

/**
 * The events of which the next months need a copy, so that each month's events are enough to tell what was billed in it: of a resource that
 * is billed, the begin with all that is known, and the event before it. `settled`: also of each resource that is not billed the newest event, which
 * corrects what was carried before. `monthEnd`: where the month of the events ends, in seconds since 1970.
 */
export const carriedOf = (
  events: readonly UsageEvent[],
  kinds: readonly Kind[],
  { settled, monthEnd }: { readonly settled: boolean; readonly monthEnd: number },
): UsageEvent[] => {
  const byType = new Map(kinds.map((kind) => [kind.serviceType, kind]));
  return [...byResource(events).values()].flatMap((unordered) => {
    const own = inOrder(unordered);
    const last = own.at(-1);
    const kind = last && byType.get(last.serviceType);
    if (kind === undefined || last === undefined) return [];
    const open = intervalsOfResource(kind, own).at(-1);
    if (open === undefined || (open.until ?? Number.POSITIVE_INFINITY) <= monthEnd)
      return settled ? [last] : [];
    const end = own.findLastIndex((event) => !isBilled(kind, event) && sinceOf(event) <= open.startedAt);
    return [...own.slice(Math.max(end, 0), end + 1), ...own.slice(end + 1).filter(decides)].map((event) =>
      isBilled(kind, event) ? { ...event, ...billedFactsOf(open) } : event,
    );

    /** Notices and republications of a state say nothing more about its time. */
    function decides(event: UsageEvent, index: number): boolean {
      return index === 0 || isStateKey(event.key) || wordOfKey(event.key) === 'moved';
    }
  });
};
