import {
  JetStreamApiCodes,
  JetStreamApiError,
  type JetStreamManager,
  jetstreamManager,
  type StoredMsg,
} from '@nats-io/jetstream';
import { reasonOf, SettingsError, UnavailableError } from '../../core/errors.ts';
import type { AgentRequest, AgentRequests } from '../../ports/agent-requests.ts';
import type { Clock } from '../../ports/clock.ts';
import { createRequest } from '../../wire/agent-requests.ts';
import { forbiddenSubject, type NatsLink } from './connection.ts';

/** No read starts later than this after the call; with the timeout of a read, a call takes two seconds at most. */
const searchMs = 1_000;
const readTimeoutMs = 1_000;
/** How many messages are read at once, backward from the newest and forward from the oldest. Measured on loopback: 64 reads take 4 to 7 ms. */
const backwardAtOnce = 52;
const forwardAtOnce = 12;
/** Bounds the memory of a bridge. */
const maximumKnown = 50_000;

/** The messages of a stream that were read, or no longer exist: all below `floor`, and all from `from` to `to`. */
type ReadRange = { readonly floor: number; readonly from: number; readonly to: number };
type Query = Parameters<JetStreamManager['streams']['getMessage']>[1];
/** JetStream's message get; null for a message that no longer exists. */
type Read = (query: Query) => Promise<StoredMsg | null>;

/**
 * Reads the streams with the requests to environment agents by JetStream's message get, which needs one permission a stream and changes
 * nothing there. All streams are read at the same time, each from both ends: on a stream that keeps its history the request is among the
 * newest messages; on a work queue with a slow agent it is among the oldest. Read messages are cached, so the next call continues where
 * this one ran out of time, and later reads only newer messages.
 * @see https://docs.nats.io/reference/reference-protocols/nats_api_reference
 */
export const natsAgentRequests = (
  link: NatsLink,
  streams: readonly string[],
  now: Clock = Date.now,
): AgentRequests => {
  const known = new Map<string, AgentRequest>();
  const ranges = new Map<string, ReadRange>();
  let connection: unknown;
  let lastSearch: Promise<unknown> = Promise.resolve();

  const note = (message: StoredMsg): void => {
    const request = createRequest(message.data);
    if (request === undefined || known.has(request.id)) return;
    const { id, ...rest } = request;
    known.set(id, rest);
  };

  /** How each stream is read. The cache is for one connection: a replaced server has other sequence numbers, and a new connection. */
  const reader = async (): Promise<(stream: string) => Read> => {
    const nc = await link.ready();
    if (nc !== connection || known.size > maximumKnown) ranges.clear();
    if (known.size > maximumKnown) known.clear();
    connection = nc;
    const { streams: api } = await jetstreamManager(nc, { checkAPI: false, timeout: readTimeoutMs });
    return (stream) => (query) => api.getMessage(stream, query).catch(explained(stream));
  };

  const search = async (key: string, deadlineMs: number): Promise<AgentRequest | null> => {
    const readOf = await reader();
    const scans = await Promise.allSettled(
      streams.map(async (stream) => {
        const isOver = () => known.has(key) || now() >= deadlineMs;
        const range = await scan(readOf(stream), { note, isOver }, ranges.get(stream));
        ranges.set(stream, range);
        return range;
      }),
    );
    const found = known.get(key);
    if (found) return found;
    refuseUnreadable(scans);
    refuseMissing(scans);
    link.worked();
    const incomplete = streams.filter((_, index) => isUnfinished(scans[index]));
    if (incomplete.length === 0) return null;
    throw new UnavailableError(
      `${incomplete.join(', ')} has more messages than can be read at once, and ${key} was not among those read so far; try it again`,
    );
  };

  return {
    async find(key) {
      if (streams.length === 0)
        throw new SettingsError(
          'AGENT_REQUESTS_STREAM is not set: it must name the JetStream stream that holds the requests to agents',
        );
      const deadlineMs = now() + searchMs;
      const mine = lastSearch.then(() => known.get(key) ?? search(key, deadlineMs));
      lastSearch = mine.catch(() => undefined); // one search at a time: the next one uses the messages that this one reads
      return known.get(key) ?? mine;
    },

    async check() {
      if (streams.length === 0) return undefined;
      try {
        const readOf = await reader();
        refuseUnreadable(await Promise.allSettled(streams.map((stream) => readOf(stream)(newest))));
        return undefined;
      } catch (error) {
        return reasonOf(error);
      }
    },
  };
};

const newest: Query = { last_by_subj: '>' };

type Visit = {
  readonly note: (message: StoredMsg) => void;
  /** Asked between rounds of reads. */
  readonly isOver: () => boolean;
};

/**
 * Reads a stream from both ends until everything is read or the time is over; at least one round, so that the newest messages are always
 * read. `before`: the messages that an earlier scan read; lower sequence numbers than those show that the stream was created anew.
 */
const scan = async (read: Read, { note, isOver }: Visit, before: ReadRange = nothing): Promise<ReadRange> => {
  const last = await read(newest);
  if (last === null) return scanForward(read, { note, isOver }, before);
  note(last);
  const earlier = before.to <= last.seq ? before : nothing;
  let range = joined({ floor: earlier.floor, from: last.seq, to: last.seq }, earlier);
  while (!isComplete(range)) {
    range = joined(await readOn(read, note, range, earlier), earlier);
    if (isOver()) break;
  }
  return isComplete(range) ? { ...range, floor: range.to + 1 } : range;
};

/**
 * Reads a stream whose newest message was removed, one message after the other. JetStream then answers that there is no newest message,
 * although older ones may be left: a work queue keeps the request of an agent that is slower than the other agents.
 */
const scanForward = async (read: Read, { note, isOver }: Visit, before: ReadRange): Promise<ReadRange> => {
  let { floor } = before;
  for (;;) {
    if (floor >= before.from) floor = Math.max(floor, before.to + 1);
    const message = await read(firstFrom(floor));
    if (message === null) return { floor, from: floor, to: floor - 1 };
    note(message);
    floor = message.seq + 1;
    if (isOver()) return { floor, from: Math.max(floor + 1, before.from), to: Math.max(floor, before.to) };
  }
};

/** The first message from this sequence number on, beyond the gap that acknowledged messages leave in a work queue. */
const firstFrom = (seq: number) => ({ seq, next_by_subj: '>' });

const nothing: ReadRange = { floor: 1, from: 1, to: 0 };

const isComplete = ({ floor, from }: ReadRange): boolean => floor >= from;

const isUnfinished = (scanned: PromiseSettledResult<ReadRange> | undefined): boolean =>
  scanned?.status === 'fulfilled' && !isComplete(scanned.value);

const joined = (range: ReadRange, { from, to }: ReadRange): ReadRange =>
  range.from <= to + 1 ? { ...range, from: Math.min(range.from, from) } : range;

/** One round of reads, all at once, which takes one round trip. */
const readOn = async (
  read: Read,
  note: Visit['note'],
  { floor, from, to }: ReadRange,
  earlier: ReadRange,
): Promise<ReadRange> => {
  const below = Math.max(floor, from > earlier.to ? earlier.to + 1 : floor, from - backwardAtOnce);
  const ahead = Math.min(floor + forwardAtOnce, below);
  const numbers = [...sequence(below, from).reverse(), ...sequence(floor, ahead)];
  const [next, ...messages] = await Promise.all([
    read(firstFrom(ahead)),
    ...numbers.map((seq) => read({ seq })),
  ]);
  for (const message of [next, ...messages]) if (message) note(message);
  return { floor: Math.min(next?.seq ?? below, below), from: below, to };
};

/** From `start` on, without `end`. */
const sequence = (start: number, end: number): number[] =>
  Array.from({ length: end - start }, (_, n) => start + n);

/** A stream that does not exist holds no request: an agent creates its retry stream when it starts. */
class StreamMissingError extends UnavailableError {}

const explained =
  (stream: string) =>
  (cause: unknown): never => {
    const isMissing = cause instanceof JetStreamApiError && cause.code === JetStreamApiCodes.StreamNotFound;
    const forbidden = forbiddenSubject(cause);
    const reason =
      forbidden === undefined ? reasonOf(cause) : `the NATS user may not publish on ${forbidden}`;
    const ErrorOfKind = isMissing ? StreamMissingError : UnavailableError;
    throw new ErrorOfKind(`${stream} cannot be read: ${reason}`, { cause });
  };

/** @throws UnavailableError where a stream that exists cannot be read. */
const refuseUnreadable = (reads: readonly PromiseSettledResult<unknown>[]): void => {
  const unreadable = failuresOf(reads).find((failure) => !(failure instanceof StreamMissingError));
  if (unreadable !== undefined) throw unreadable;
};

/** @throws UnavailableError where no stream exists: this is not DCM's NATS, or DCM has not run yet. */
const refuseMissing = (reads: readonly PromiseSettledResult<unknown>[]): void => {
  const failures = failuresOf(reads);
  if (failures.length > 0 && failures.length === reads.length) throw failures[0];
};

const failuresOf = (reads: readonly PromiseSettledResult<unknown>[]): unknown[] =>
  reads.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
