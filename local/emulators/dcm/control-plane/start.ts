import { startTogether, type Use } from '../../../processes/disposables.ts';
import { type LocalServer, serve } from '../../../processes/loopback.ts';
import { startSchedule } from '../../schedule.ts';
import { openDatabase } from '../database.ts';
import { connectToNats } from '../nats-connection.ts';
import { startStatusConsumer } from '../status-consumer.ts';
import { createHistory, type Watched, watch } from '../status-history.ts';
import { type Agent, agentsIn } from './agents.ts';
import { type CatalogItem, type CatalogItemInstance, catalogOf } from './catalog.ts';
import { documentsIn } from './documents.ts';
import { controlPlaneApi } from './http.ts';
import { instanceService } from './instances.ts';
import { placementOf, type Resource } from './placement.ts';
import { type Policy, policyEmulator } from './policies.ts';
import { openRequests } from './requests.ts';
import { startResponseConsumer } from './responses.ts';
import { type Row, rowsIn } from './rows.ts';
import { cleanUp, defaultTimes, sweep, type Times } from './scheduled-work.ts';
import { schema } from './schema.ts';
import { applyStatus } from './status.ts';

export type ControlPlaneOptions = {
  readonly port?: number;
  readonly natsUrl: string;
  /** Skips status events whose id has no row, as DCM does. Otherwise they add the row. */
  readonly strict?: boolean;
  /** Folder of the database. @default in memory */
  readonly dataDir?: string;
  /** @default defaultTimes, as in DCM */
  readonly times?: Partial<Times>;
  readonly log: (line: string) => void;
};

export type ControlPlane = LocalServer &
  Watched & {
    /** Finds a row whose deletion is under way too. */
    row(id: string): Promise<Row | undefined>;
    rows(): Promise<Row[]>;
    agents(): Promise<Agent[]>;
    /** The resources of a run, by level; none where the run has ended. */
    run(runId: string): Promise<Resource[]>;
    /** Deletes all rows, as a restore of an empty backup does. */
    forget(): Promise<void>;
  };

/**
 * An emulator of today's control plane: users order through the catalog, placement makes a run of the order and publishes requests to
 * environment agents over JetStream, and the agents' answers and the providers' status events update the rows and the run.
 * @throws where NATS cannot be reached at the start; after that it reconnects without limit.
 */
export const startControlPlane = (options: ControlPlaneOptions): Promise<ControlPlane> =>
  startTogether((use) => start(options, use));

const start = async (
  options: ControlPlaneOptions,
  use: Use,
): Promise<Omit<ControlPlane, keyof AsyncDisposable>> => {
  const log = (line: string) => options.log(`control plane: ${line}`);
  const times = { ...defaultTimes, ...options.times };
  const nats = await use(connectToNats(options.natsUrl, options.log));
  const database = await use(openDatabase(schema, options.dataDir));
  const history = createHistory();
  const [rows, agents] = [rowsIn(database), agentsIn(database)];
  const documents = {
    policies: documentsIn<Policy>(database, 'policy'),
    items: documentsIn<CatalogItem>(database, 'catalog item'),
    instances: documentsIn<CatalogItemInstance>(database, 'catalog item instance'),
  };
  const requests = await openRequests(nats);
  const instances = instanceService({ rows, agents, requests, log });
  const policies = policyEmulator(documents.policies, agents);
  const placement = placementOf({ database, rows, instances, policies, log });
  const catalog = catalogOf({ ...documents, placement });

  const apply = applyStatus({ rows, placement, strict: options.strict ?? false, log });
  await use(startStatusConsumer({ nats, apply, history, log }));
  await use(startResponseConsumer(nats, { rows, agents, requests, placement, log }));
  const work = { rows, agents, requests, placement, times, log };
  await use(scheduled(times.sweepMs, () => sweep(work)));
  await use(scheduled(times.cleanupMs, () => cleanUp(work)));
  const checks = { database: () => database.all('select 1'), nats: () => nats.rtt() };
  const api = controlPlaneApi({ agents, rows, instances, catalog, documents, history, checks });
  const { url } = await use(serve(api.fetch, options.port));
  const watched = await use(watch(history));
  return {
    ...{ url, row: rows.get, rows: () => rows.list({ showDeleted: true }), agents: () => agents.list() },
    ...{ run: placement.run, forget: database.forget, ...watched },
  };

  function scheduled(everyMs: number, invoke: () => Promise<void>) {
    return startSchedule({ everyMs, invoke, log });
  }
};
