import { Hono } from 'hono';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { type Keep, startTogether } from '../../../processes/disposables.ts';
import { type Part, serve } from '../../../processes/loopback.ts';
import { problem } from '../api-conventions.ts';
import { forgetAll, openDatabase } from '../database.ts';
import { connectToNats } from '../nats-connection.ts';
import { startStatusConsumer } from '../status-consumer.ts';
import { events, type History, keepHistory, type Watched, watch } from '../status-history.ts';
import { applyStatus } from './apply-status.ts';
import { defaultPace, startHealthMonitor } from './health-monitor.ts';
import { type DispatchParts, serviceTypeInstances } from './instances.ts';
import { defaultTimeout, type Patience, providerClient } from './provider-client.ts';
import { type Provider, providers, type Registry, registryIn } from './providers.ts';
import { type Row, rowsIn } from './rows.ts';

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

type Parts = DispatchParts & { readonly registry: Registry; readonly history: History };

/** What the control plane answers over HTTP; each concern has a file of its own. */
const controlPlaneApi = (parts: Parts): Hono =>
  new Hono()
    .route('/api/v1alpha1/providers', providers(parts.registry))
    .route('/api/v1alpha1/service-type-instances', serviceTypeInstances(parts))
    .route('/events', events(parts.history))
    .get('/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .get('/api/v1alpha1/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .notFound(({ req }) => problem('not-found', 'Not found', 404, `nothing at ${req.path}`))
    .onError((error) => problem('internal-error', 'Internal error', 500, reasonOf(error)));
