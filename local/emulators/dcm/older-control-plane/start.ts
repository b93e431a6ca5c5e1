import { Hono } from 'hono';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { startTogether, type Use } from '../../../processes/disposables.ts';
import { type LocalServer, serve } from '../../../processes/loopback.ts';
import { problem } from '../api-conventions.ts';
import { applyStatus } from '../apply-status.ts';
import { openDatabase } from '../database.ts';
import { connectToNats } from '../nats-connection.ts';
import { startStatusConsumer } from '../status-consumer.ts';
import { createHistory, events, type History, type Watched, watch } from '../status-history.ts';
import { defaultPace, startHealthMonitor } from './health-monitor.ts';
import { type DispatchParts, serviceTypeInstances } from './instances.ts';
import { defaultProviderTimeouts, type ProviderTimeouts, providerClient } from './provider-client.ts';
import { type Provider, providers, providersSchema, type Registry, registryIn } from './providers.ts';
import { type Row, rowsIn, rowsSchema } from './rows.ts';

export type ControlPlaneOptions = {
  readonly port?: number;
  readonly natsUrl: string;
  /** Skips status events whose id has no row, as DCM's code does. Otherwise they add the row. */
  readonly strict?: boolean;
  /** Folder of the database. @default in memory */
  readonly dataDir?: string;
  /** Pause between two rounds of health checks. @default 10,000, as in DCM */
  readonly healthIntervalMs?: number;
  /** @default defaultProviderTimeouts, as in DCM */
  readonly timeouts?: Partial<ProviderTimeouts>;
  readonly log: (line: string) => void;
};

export type ControlPlane = LocalServer &
  Watched & {
    row(id: string): Promise<Row | undefined>;
    rows(): Promise<Row[]>;
    providers(): Promise<Provider[]>;
    /** Deletes all rows, of instances and of providers, as a restore of an empty backup does. */
    forget(): Promise<void>;
  };

/**
 * An emulator of DCM's older control plane: it has the registry of providers and checks their health, dispatches creates and deletes to
 * them, owns the stream `dcm-status` and applies its events to the rows.
 * @throws where NATS cannot be reached at the start; after that it reconnects without limit.
 */
export const startControlPlane = (options: ControlPlaneOptions): Promise<ControlPlane> =>
  startTogether((use) => start(options, use));

const start = async (
  options: ControlPlaneOptions,
  use: Use,
): Promise<Omit<ControlPlane, keyof AsyncDisposable>> => {
  const { natsUrl, dataDir, strict = false, healthIntervalMs = defaultPace.intervalMs } = options;
  const log = (line: string) => options.log(`control plane: ${line}`);
  const nats = await use(connectToNats(natsUrl, options.log));
  const database = await use(openDatabase(rowsSchema + providersSchema, dataDir));
  const history = createHistory();
  const rows = rowsIn(database);
  const registry = registryIn(database);
  const client = providerClient({ ...defaultProviderTimeouts, ...options.timeouts });
  await use(startStatusConsumer({ nats, apply: applyStatus(rows, { strict }), history, log }));
  const pace = { ...defaultPace, intervalMs: healthIntervalMs };
  await use(startHealthMonitor({ registry, client, pace, log }));
  const { url } = await use(serve(controlPlaneApi({ rows, registry, client, history }).fetch, options.port));
  const watched = await use(watch(history));
  return {
    ...{ url, row: rows.get, rows: rows.list, providers: registry.list },
    ...{ forget: database.forget, ...watched },
  };
};

type Parts = DispatchParts & { readonly registry: Registry; readonly history: History };

/** The control plane's HTTP API. */
const controlPlaneApi = (parts: Parts): Hono =>
  new Hono()
    .route('/api/v1alpha1/providers', providers(parts.registry))
    .route('/api/v1alpha1/service-type-instances', serviceTypeInstances(parts))
    .route('/events', events(parts.history))
    .get('/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .get('/api/v1alpha1/health', (context) => context.json({ status: 'ok', path: 'health' }))
    .notFound(({ req }) => problem('not-found', 'Not found', 404, `nothing at ${req.path}`))
    .onError((error) => problem('internal-error', 'Internal error', 500, reasonOf(error)));
