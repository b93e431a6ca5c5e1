import type { Part } from '../../part.ts';
import { serve } from '../loopback.ts';
import { applyStatus } from './apply-status.ts';
import { type Consumed, type History, hasReachedRow, keepHistory } from './history.ts';
import { controlPlaneApi } from './http.ts';
import { connectToNats } from './nats-connection.ts';
import { openRows, type Row } from './rows.ts';
import { startStatusConsumer } from './status-consumer.ts';
import { waitForStatus } from './wait-for.ts';

type Options = {
  readonly port?: number;
  readonly natsUrl: string;
  /** Skips status events of rows that do not exist, as DCM's code does. Otherwise they make the row. */
  readonly strict?: boolean;
  /** Where rows are kept. In memory when left out. */
  readonly dataDir?: string;
  readonly log: (line: string) => void;
};

export type ControlPlane = Part & {
  row(id: string): Promise<Row | undefined>;
  rows(): Promise<Row[]>;
  /** The last 10,000 events, as they were consumed. */
  history(): readonly Consumed[];
  /** Tells of each event that reached its row, until the returned function is called. A listener must not throw. */
  onApplied(listener: (consumed: Consumed) => void): () => void;
  /** The event that brought the row to this status, now or within the time. @throws where none does. */
  waitFor(id: string, status: string, withinMs: number): Promise<Consumed>;
};

/**
 * What DCM's control plane does with status events, small enough for a laptop: it owns the stream `dcm-status` and keeps
 * the rows. @throws where NATS cannot be reached; afterwards it reconnects for as long as it takes.
 */
export const startControlPlane = async (options: Options): Promise<ControlPlane> => {
  const { natsUrl, log, strict = false } = options;
  const history = keepHistory();
  const ends: (() => PromiseLike<void>)[] = [];
  const end = async () => {
    for (const close of ends.splice(0).reverse()) await close();
  };
  try {
    const nats = await connectToNats(natsUrl, log);
    ends.push(() => nats.close());
    const rows = await openRows(options.dataDir);
    ends.push(rows.close);
    const apply = applyStatus(rows, { strict });
    const consumer = await startStatusConsumer({ nats, apply, history, log });
    ends.push(() => consumer[Symbol.asyncDispose]());
    const server = await serve(controlPlaneApi(rows, history).fetch, options.port);
    ends.push(() => server[Symbol.asyncDispose]());
    const { stop, ...watching } = watch(history);
    ends.push(async () => stop());
    return { url: server.url, row: rows.get, rows: rows.list, ...watching, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
};

const watch = (history: History) => {
  const stopping = new AbortController();
  return {
    history: history.entries,
    onApplied: (listener: (consumed: Consumed) => void) =>
      history.onConsumed((consumed) => hasReachedRow(consumed) && listener(consumed)),
    waitFor: (id: string, status: string, withinMs: number) => {
      const signal = AbortSignal.any([AbortSignal.timeout(withinMs), stopping.signal]);
      return waitForStatus(history, { id, status, signal });
    },
    stop: () => stopping.abort(),
  };
};
