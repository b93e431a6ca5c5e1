import { type Keep, startTogether } from '../../../keeper.ts';
import type { Part } from '../../../part.ts';
import { serve } from '../../../processes/loopback.ts';
import { applyStatus } from './apply-status.ts';
import { forgetAll, openDatabase } from './database.ts';
import { startHealthMonitor } from './health-monitor.ts';
import { keepHistory } from './history.ts';
import { controlPlaneApi } from './http.ts';
import { connectToNats } from './nats-connection.ts';
import { defaultTimeout, type Patience, providerClient } from './provider-client.ts';
import { defaultPace } from './providers/health.ts';
import type { Provider } from './providers/provider.ts';
import { registryIn } from './providers/registry.ts';
import { type Row, rowsIn } from './rows.ts';
import { startStatusConsumer } from './status-consumer.ts';
import { type Watched, watch } from './wait-for.ts';

export type ControlPlaneOptions = {
  readonly port?: number;
  readonly natsUrl: string;
  /** Skips status events of rows that do not exist, as DCM's code does. Otherwise they make the row. */
  readonly strict?: boolean;
  /** Where rows are kept. In memory when left out. */
  readonly dataDir?: string;
  /** From one round of health checks to the next. @default 10,000, as DCM */
  readonly healthIntervalMs?: number;
  /** How long providers may take, and are asked again. @default defaultTimeout, as DCM */
  readonly patience?: Partial<Patience>;
  readonly log: (line: string) => void;
};

export type ControlPlane = Part &
  Watched & {
    row(id: string): Promise<Row | undefined>;
    rows(): Promise<Row[]>;
    providers(): Promise<Provider[]>;
    /** Loses all rows, of instances and of providers, as a restore of an empty backup does. */
    forget(): Promise<void>;
  };

/**
 * What DCM's control plane does with providers, their instances and status events, small enough for a laptop: it keeps the registry and
 * checks its health, dispatches creates and deletes, owns the stream `dcm-status` and keeps the rows.
 * @throws where NATS cannot be reached; afterwards it reconnects for as long as it takes.
 */
export const startControlPlane = (options: ControlPlaneOptions): Promise<ControlPlane> =>
  startTogether((keep) => start(options, keep));

const start = async (
  options: ControlPlaneOptions,
  keep: Keep,
): Promise<Omit<ControlPlane, keyof AsyncDisposable>> => {
  const { natsUrl, dataDir, log, strict = false, healthIntervalMs = defaultPace.intervalMs } = options;
  const nats = await connectToNats(natsUrl, log);
  await keep(Promise.resolve({ [Symbol.asyncDispose]: () => nats.close() }));
  const database = await openDatabase(dataDir);
  await keep(Promise.resolve({ [Symbol.asyncDispose]: () => database.close() }));
  const history = keepHistory();
  const rows = rowsIn(database);
  const registry = registryIn(database);
  const client = providerClient({ ...defaultTimeout, ...options.patience });
  await keep(startStatusConsumer({ nats, apply: applyStatus(rows, { strict }), history, log }));
  const pace = { ...defaultPace, intervalMs: healthIntervalMs };
  await keep(Promise.resolve(startHealthMonitor({ registry, client, pace, log })));
  const { url } = await keep(serve(controlPlaneApi({ rows, registry, client, history }).fetch, options.port));
  const watching = await keep(Promise.resolve(watch(history)));
  const forget = () => forgetAll(database);
  return { url, row: rows.get, rows: rows.list, providers: registry.list, forget, ...watching };
};
