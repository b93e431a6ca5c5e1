import { type InventoryFile, InventoryFile as Schema } from '../../../functions/inventory-api/env.ts';
import type { LogReaders } from '../../../functions/inventory-api/logs.ts';
import { operations } from '../../../functions/inventory-api/operations.ts';
import { inventoryReports } from '../../../functions/inventory-api/reports.ts';
import { permits } from '../../../functions/inventory-api/scopes.ts';
import { collectionsIn, servedTargets } from '../../../functions/inventory-api/targets.ts';
import type { Collection, Entry } from '../../../shared/core/inventory/entry.ts';
import { TagKeys } from '../../../shared/core/ownership.ts';
import type { Target } from '../../../shared/core/target.ts';
import { authentication, type Credentials } from '../../../shared/http/authentication.ts';
import { readChanges } from '../../../shared/http/changes.ts';
import { router } from '../../../shared/http/router.ts';
import type { InventoryReader } from '../../../shared/ports/inventory.ts';
import { memoryInventory } from '../../fakes/memory-inventory.ts';
import { memoryLog } from '../../fakes/silent.ts';

export const home: Target = { region: 'eu-west-1' };
export const prod: Target = { region: 'eu-west-1', account: '222222222222' };
export const nowMs = Date.parse('2026-11-30T10:00:00Z');
const startedAtMs = nowMs - 60_000;

export const seedBase = '/namespaces/home/clusters/eu-west-1';

export const entry = (id: string, change: Partial<Entry> = {}): Entry => ({
  ...{ id, tags: {}, at: 0, object: { described: id } },
  ...change,
});

export const instance = (
  id: string,
  { vpcId = 'vpc-1', volumes = [], ...change }: Partial<Entry> = {},
): Entry =>
  entry(id, {
    ...{ vpcId, volumes, state: 'running', ...change },
    object: {
      InstanceId: id,
      State: { Code: 16, Name: 'running' },
      VpcId: vpcId,
      BlockDeviceMappings: volumes.map((VolumeId) => ({ DeviceName: '/dev/xvda', Ebs: { VolumeId } })),
    },
  });

const noLog: LogReaders['task'] = async () => {
  throw new Error('AWS was called');
};

type Options = {
  readonly settings?: Partial<InventoryFile>;
  readonly credentials?: readonly Credentials[];
  readonly isOptional?: boolean;
  readonly logs?: Partial<LogReaders>;
  readonly inventory?: InventoryReader;
};

export const full = 'full-token';

/** Everything is permitted to `full`. */
export const fullAccess: Credentials = {
  secret: async () => full,
  opens: permits(['inventory:read', 'inventory:logs', 'changes:read'], 'home'),
};

/** The API over an inventory in memory. Logs cannot be read unless a test supplies them: nothing else could call AWS. */
export const servedInventory = (options: Options = {}) => {
  const memory = memoryInventory();
  const settings = Schema.parse({
    homeRegions: ['eu-west-1', 'us-east-1'],
    controllerLogs: { 'ec2-sp-poller': 'https://logs.example/poller' },
    ...options.settings,
  });
  const targets = servedTargets({
    ...settings,
    accounts: { prod: { id: '222222222222', regions: ['eu-west-1'] } },
  });
  const log = memoryLog();
  const clock = { now: () => nowMs, log };
  const useCases = {
    reports: inventoryReports({
      inventory: options.inventory ?? memory,
      collectionsIn: collectionsIn(settings),
      tagKeys: TagKeys.parse({}),
      provider: 'ec2-sp',
      plans: settings.plans,
      controllerLogs: settings.controllerLogs,
      logs: { console: noLog, task: noLog, ...options.logs },
      ...{ targets, ...clock },
    }),
    readChanges: readChanges({
      feed: { read: async () => ({ changes: [], next: 'c0', movedAtMs: 0, complete: true }) },
      accounts: {},
      streams: false,
      ...clock,
    }),
  };
  const app = router({
    operations,
    useCasesIn: () => useCases,
    authentication: authentication({
      realm: 'inventory-api',
      credentials: options.credentials ?? [fullAccess],
      isOptional: options.isOptional,
    }),
    targets: targets.paths,
    corsOrigins: settings.corsOrigins,
    correlate: () => undefined,
    ...clock,
  });

  /** A complete listing of a collection. */
  const list = async (collection: Collection, entries: readonly Entry[], target: Target = home) => {
    const place = { target, collection };
    await memory.observePage(
      place,
      { startedAtMs, page: 0 },
      entries.map(({ at: _, ...one }) => one),
    );
    await memory.complete(place, { startedAtMs, pages: 1 });
  };
  /** With all permissions, unless `authorization` is another one; empty: none. */
  const ask = (path: string, { method = 'GET', headers = {} }: Asking = {}) => {
    const { authorization = `Bearer ${full}`, ...others } = headers;
    const all = { ...others, ...(authorization !== '' && { authorization }) };
    return app.fetch(new Request(`https://inventory${path}`, { method, headers: all }), { requestId: 'r-1' });
  };
  const get = async (path: string) => {
    const response = await ask(path);
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      body: text === '' ? undefined : JSON.parse(text),
    };
  };
  return { ask, get, list, memory, log };
};

type Asking = { readonly method?: string; readonly headers?: Readonly<Record<string, string>> };

/** Two VPCs, three instances, what hangs on them. */
export const listAll = async (served: ReturnType<typeof servedInventory>, target: Target = home) => {
  const tags = { 'managed-by': 'dcm', 'dcm-instance-id': 'web-1', 'dcm-provider': 'ec2-sp' };
  const group = { 'aws:autoscaling:groupName': 'web/blue' };
  const list = (collection: Collection, entries: readonly Entry[]) =>
    served.list(collection, entries, target);
  await list('vpcs', [entry('vpc-1', { vpcId: 'vpc-1', name: 'one' }), entry('vpc-2', { vpcId: 'vpc-2' })]);
  await list('instances', [
    instance('i-1', { volumes: ['vol-1', 'vol-2'], name: 'web', tags }),
    instance('i-2', { volumes: ['vol-3'], tags: group, unhealthy: 'its instance status check fails' }),
    instance('i-3', { vpcId: 'vpc-2', tags: { ...group, Name: 'db' }, name: 'db' }),
  ]);
  await list('volumes', [
    entry('vol-1', { state: 'in-use' }),
    entry('vol-9', { state: 'available', unused: true, tags: { 'eks:cluster-name': 'gone' } }),
  ]);
  await list('load-balancers', [entry('web', { vpcId: 'vpc-1' })]);
  await list('subnets', [entry('subnet-1', { vpcId: 'vpc-1' })]);
  await list('security-groups', [entry('sg-1', { vpcId: 'vpc-1' })]);
  await list('images', [entry('ami-1')]);
  await list('network-interfaces', [entry('eni-1', { unused: true })]);
  await list('addresses', [entry('eipalloc-1')]);
  await list('containers', [
    entry('0123456789abcdef0123456789abcdef', {
      state: 'RUNNING',
      object: { group: 'service:shop', containers: [{ name: 'main' }] },
    }),
  ]);
  await list('clusters', [entry('kube-1', { state: 'ACTIVE' })]);
};
