import { operations } from '../../../../functions/provider-api/operations/registry.ts';
import type { VmUseCases } from '../../../../functions/provider-api/service-types/vm.ts';
import type { CollectionUseCases, UseCases } from '../../../../functions/provider-api/use-cases.ts';
import type { Accounts } from '../../../../shared/core/target.ts';
import type { Charge } from '../../../../shared/core/usage/charges.ts';
import { type Authentication, authentication } from '../../../../shared/http/authentication.ts';
import { router, targetPaths } from '../../../../shared/http/router.ts';
import type {
  ClusterResource,
  ClusterValidation,
} from '../../../../shared/service-types/cluster/resource.ts';
import type { ClusterSpec } from '../../../../shared/service-types/cluster/spec.ts';
import type {
  ContainerResource,
  ContainerValidation,
} from '../../../../shared/service-types/container/resource.ts';
import type { ContainerSpec } from '../../../../shared/service-types/container/spec.ts';
import type { VmResource, VmValidation } from '../../../../shared/service-types/vm/resource.ts';
import type { VmSpec } from '../../../../shared/service-types/vm/spec.ts';
import type { Health } from '../../../../shared/wire/health.ts';
import type { Overview } from '../../../../shared/wire/overview.ts';
import { keepingLog } from './keeping-log.ts';

export const token = 'open-sesame';
export const requestId = 'JKJaXmPLvHcESHA=';

export const vm = (id: string, region = 'us-east-1'): VmResource => ({
  id,
  path: `vms/${id}`,
  status: 'PROVISIONING',
  status_message: 'the instance is pending',
  region,
  instance_id: 'i-0123456789abcdef0',
  create_time: '2026-11-21T10:00:00Z',
  update_time: '2026-11-21T10:00:01Z',
});

export const health: Health = {
  status: 'healthy',
  version: '1.2.3',
  uptime: 60,
  type: 'ec2-sp.dcm.io/health',
  path: 'health',
};

const eventsOf = <Status>(status: Status) => ({
  results: [{ status, message: 'it runs', update_time: '2026-11-21T10:00:02Z' }],
});

const validation: VmValidation = {
  region: 'us-east-1',
  image_id: 'ami-0123456789abcdef0',
  instance_type: 't3.medium',
  chosen_by: { image: 'the catalogue', instance_type: 'the smallest that fits' },
  vcpu_quota: '2 of 32 vCPUs',
};

const container = (id: string, region = 'us-east-1'): ContainerResource => ({
  id,
  path: `containers/${id}`,
  status: 'PROVISIONING',
  status_message: 'the task is PENDING',
  region,
  create_time: '2026-11-21T10:00:00Z',
  update_time: '2026-11-21T10:00:01Z',
});

const containerValidation: ContainerValidation = {
  region: 'us-east-1',
  image: 'nginx:alpine',
  size: { vcpus: 1, memory_mib: 2048, chosen_by: 'the smallest that fits' },
  launch: 'fargate',
  subnet_ids: ['subnet-0123456789abcdef0'],
  task_definition: 'dcm-ec2-sp-1',
};

const cluster = (id: string, region = 'us-east-1'): ClusterResource => ({
  ...{ id, path: `clusters/${id}`, region },
  ...{ status: 'PROGRESSING', status_message: 'the cluster is CREATING' },
  ...{ api_endpoint: '', console_url: '', console_uri: '', kubeconfig: '' },
  create_time: '2026-11-21T10:00:00Z',
  update_time: '2026-11-21T10:00:01Z',
});

const clusterValidation: ClusterValidation = {
  ...{ region: 'us-east-1', version: '1.33', endpoint: 'public', admin_principals: [], ignored: [] },
  chosen_by: {
    version: 'version, as the spec names it; EKS has it in standard support',
    workers: 'EKS Auto Mode, as nodes.workers is absent',
  },
};

const used: Charge = {
  ...{ from: 1_795_000_000, until: 1_795_000_060 },
  interval: {
    ...{ resource: 'i-0123456789abcdef0', dcmId: 'vm-1', serviceType: 'vm', target: 'us-east-1' },
    ...{ size: 't3.medium', zone: 'us-east-1a', account: '111111111111' },
    ...{ from: 1_795_000_000, startedAt: 1_795_000_000 },
  },
  ...{ usedSeconds: 60, billedSeconds: 60 },
};

const emptyOverview: Overview = {
  ...{ provider: 'ec2-sp', version: '1.2.3', time: '2026-11-21T10:00:00.000Z', cursor: 'c1' },
  ...{ targets: [], counts: [], countsAreComplete: true, resources: [], problems: [] },
};

type Note = <Input extends unknown[], Answer>(
  name: string,
  answer: (...input: Input) => Answer,
) => (...input: Input) => Promise<Answer>;

const notingCollection = <Spec, Answer, Validation>(
  note: Note,
  name: string,
  {
    answer,
    validation,
    running = 'RUNNING',
  }: { answer: (id: string, region?: string) => Answer; validation: Validation; running?: string },
): CollectionUseCases<Spec, Answer, Validation> => ({
  create: note(`create${name}`, ({ dcmId, region }: { dcmId: string; region: string }) =>
    answer(dcmId, region),
  ),
  reportRefusals: (_about, create) => create(),
  validate: note(`validate${name}`, (..._: [Spec, object]) => validation),
  read: {
    get: note('get', (dcmId: string) => answer(dcmId)),
    list: note('list', (_: object) => ({
      results: [answer(`${name.toLowerCase()}-1`)],
      next_page_token: 'more',
    })),
    events: note('events', (_: string) => eventsOf(running)),
  },
  delete: note(`delete${name}`, (..._: [string, string]) => undefined),
  deletions: { requested: async () => [], complete: async () => false },
});

/** Use cases that do nothing but note that they were asked. */
const notingUseCases = (asked: unknown[]): UseCases => {
  const note: Note =
    (name, answer) =>
    async (...input) => {
      asked.push([name, ...input]);
      return answer(...input);
    };
  return {
    container: notingCollection<ContainerSpec, ContainerResource, ContainerValidation>(note, 'Container', {
      ...{ answer: container, validation: containerValidation },
    }),
    cluster: notingCollection<ClusterSpec, ClusterResource, ClusterValidation>(note, 'Cluster', {
      ...{ answer: cluster, validation: clusterValidation, running: 'ACTIVE' },
    }),
    vm: {
      ...notingCollection<VmSpec, VmResource, VmValidation>(note, 'Vm', { answer: vm, validation }),
      change: note('changeVm', (...[dcmId]: Parameters<VmUseCases['change']>) => vm(dcmId)),
    },
    checkHealth: note('checkHealth', (_: object) => health),
    usage: {
      accounts: {},
      nowSeconds: () => used.until,
      charges: note('charges', (_: object) => [used]),
      focus: note('focus', (_: object) => []),
    },
    findRequest: undefined,
    console: {
      readOverview: note('readOverview', (_rows: number, _permits: unknown) => emptyOverview),
      readChanges: note('readChanges', (..._: unknown[]) =>
        Response.json({ changes: [], next: 'c1', pollAfterMs: 1000, complete: true }),
      ),
      page: () => new Response(''),
    },
  };
};

const byToken = authentication({
  realm: 'provider-api',
  credentials: [{ secret: async () => token }],
});

type Changes = {
  readonly useCases?: Partial<Omit<UseCases, 'vm'>> & { readonly vm?: Partial<VmUseCases> };
  readonly authentication?: Authentication;
  readonly accounts?: Accounts;
};

/** The API as it is served, over use cases that can be exchanged. */
export const servedApi = ({ useCases, authentication = byToken, accounts = {} }: Changes = {}) => {
  const asked: unknown[] = [];
  const { log, lines } = keepingLog();
  const correlated: Record<string, string> = {};
  const noting = notingUseCases(asked);
  let nowMs = 1_000;
  const app = router({
    useCasesIn: () => ({ ...noting, ...useCases, vm: { ...noting.vm, ...useCases?.vm } }),
    targets: targetPaths({ homeRegion: 'us-east-1', accounts }),
    ...{ operations, authentication },
    correlate: (fields) => void Object.assign(correlated, fields),
    log,
    now: () => (nowMs += 7),
  });
  const ask = async (method: string, path: string, { headers, body }: Asking = {}) =>
    app.request(
      path,
      {
        method,
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', ...headers },
        ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      },
      { requestId },
    );
  return { app, ask, asked, lines, correlated };
};

type Asking = { readonly headers?: Readonly<Record<string, string>>; readonly body?: unknown };
