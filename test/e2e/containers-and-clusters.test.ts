import { ECSClient, ListTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { conformance } from '../../conformance/conformance.ts';
import { clusterSpec, containerSpec } from '../../local/demo/catalog-item.ts';
import { type DemoResource, statusErrors } from '../../local/demo/check-statuses.ts';
import { runClusterScenario, runContainersScenario } from '../../local/demo/dcm-scenarios.ts';
import { controlPlaneClient, type DcmUser, dcmUser, olderDcmUser } from '../../local/demo/dcm-user.ts';
import { clientConfig } from '../../local/emulators/client-config.ts';
import type { TaskTransition } from '../../local/emulators/ecs/task-life.ts';
import type { Transition as ClusterTransition } from '../../local/emulators/eks/account.ts';
import { provider } from '../../local/stack/options.ts';
import { serviceNameOf } from '../../shared/core/kind.ts';
import { checksOfOlderDcm, type TestStack, testStack } from './stack.ts';

const soon = 60_000;

/** Conformance has a dozen clusters created and deleted, one after the other. */
const quickDwellMs = { pending: 100, creating: 1_000, updating: 500, deleting: 500 };

const UsageAnswer = z.object({
  rows: z.array(
    z.object({
      ...{ resource_id: z.string(), service_type: z.string(), start_time: z.string() },
      ...{ ended: z.boolean(), used_seconds: z.number() },
    }),
  ),
});

const Providers = z.object({
  results: z.array(z.object({ name: z.string(), service_type: z.string(), endpoint: z.url() })),
});

/** Runs the lives of three containers and of a cluster through DCM, and compares their statuses with what they must be. */
const liveThrough = async (dcm: DcmUser, { controlPlane }: TestStack): Promise<void> => {
  const resources = new Map<string, DemoResource>();
  const context = {
    ...{ dcm, reaches: controlPlane.waitFor, print: () => undefined },
    onCreated: (resource: DemoResource) => void resources.set(resource.name, resource),
  };
  await Promise.all([runContainersScenario(context), runClusterScenario(context)]);
  const errors = () => {
    const of = new Set([...resources.values()].map(({ dcmId }) => dcmId));
    const history = controlPlane.history().filter(({ id = '' }) => of.has(id));
    return statusErrors({
      ...{ instances: [], transitions: [] },
      history,
      resources: [...resources.values()],
    });
  };
  await expect.poll(errors, { timeout: soon }).toEqual([]);
};

describe('containers and clusters, behind an environment agent', () => {
  let stack: TestStack;
  /** What ECS has made of its tasks, and EKS of its clusters. */
  const tasks: TaskTransition[] = [];
  const clusters: ClusterTransition[] = [];
  beforeAll(async () => {
    stack = await testStack({
      pollFloorSeconds: 1,
      ecs: { onTransition: (one) => void tasks.push(one) },
      eks: { onTransition: (one) => void clusters.push(one) },
    });
  });
  afterAll(() => stack?.[Symbol.asyncDispose]());

  it('are registered beside the VMs, each service type as a provider of its own', async () => {
    const response = await fetch(`${stack.endpoints.agentUrl}/api/v1alpha1/providers`);

    const { results } = Providers.parse(await response.json());
    expect(
      results.map(({ name, service_type: type, endpoint }) => [type, name, new URL(endpoint).pathname]),
    ).toEqual([
      ['vm', provider, '/api/v1alpha1/vms'],
      ['container', `${provider}-container`, '/api/v1alpha1/containers'],
      ['cluster', `${provider}-cluster`, '/api/v1alpha1/clusters'],
    ]);
  });

  it('go through their lives in DCM', async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;

    await liveThrough(dcmUser({ controlPlaneUrl, agentUrl, provider }), stack);
  });

  it('have their use in the ledger: of a container by ECS’s own times, of a cluster as soon as a listing shows it', async () => {
    const { providerApiUrl, providerApiToken } = stack.endpoints;
    const second = (atMs: number | undefined = 0) => Math.floor(atMs / 1000);
    const usage = async (serviceType: string) => {
      const url = `${providerApiUrl}/api/v1alpha1/usage?from=${new Date(Date.now() - 3_600_000).toISOString()}`;
      const answer = await fetch(url, { headers: { authorization: `Bearer ${providerApiToken}` } });
      const { rows } = UsageAnswer.parse(await answer.json());
      return rows
        .filter((row) => row.service_type === serviceType && row.ended)
        .map(
          (row) =>
            [serviceNameOf(row.resource_id), Date.parse(row.start_time) / 1000, row.used_seconds] as const,
        );
    };
    const begins = tasks.filter(
      (one) =>
        one === tasks.find(({ taskId, lastStatus }) => taskId === one.taskId && lastStatus === 'RUNNING'),
    );
    const reached = (id: string, status: string) =>
      second(tasks.find(({ taskId, lastStatus }) => taskId === id && lastStatus === status)?.atMs);

    await expect.poll(async () => (await usage('container')).length, { timeout: soon }).toBe(begins.length);
    const containers = await usage('container');
    expect(containers.map(([id, from]) => `${id} ${from}`).sort()).toEqual(
      begins.map(({ taskId, atMs }) => `${taskId} ${second(atMs)}`).sort(),
    );
    for (const [id, from, seconds] of containers) {
      // ECS has the time of DEPROVISIONING only in an event, and that of STOPPED in every answer
      expect(from + seconds).toBeGreaterThanOrEqual(reached(id, 'DEPROVISIONING'));
      expect(from + seconds).toBeLessThanOrEqual(reached(id, 'STOPPED'));
    }
    await expect.poll(async () => (await usage('cluster')).length, { timeout: soon }).toBe(1);
    const [begin, gone] = [clusters[0], clusters.find(({ status }) => status === 'GONE')];
    const [[name, from = 0, seconds = 0] = []] = await usage('cluster');
    expect(name).toBe(begin?.cluster);
    expect(Math.abs(from - second(begin?.atMs))).toBeLessThan(10);
    expect(Math.abs(from + seconds - second(gone?.atMs))).toBeLessThan(30);
  });

  it('have an update of a cluster that failed reported with EKS’s own error, and the state after it', async () => {
    const { controlPlaneUrl, agentUrl = '' } = stack.endpoints;
    const dcm = dcmUser({ controlPlaneUrl, agentUrl, provider });
    await dcm.isReady('cluster', soon);
    const id = await dcm.create(clusterSpec('kube-2'), crypto.randomUUID());
    await stack.controlPlane.waitFor(id, 'active', soon);
    const gone = { errorCode: 'Ec2SubnetNotFound', errorMessage: 'the subnet is gone' };
    const failUpdate = () => stack.eks?.updateCluster(id, { outcome: 'Failed', errors: [gone] }) ?? '';
    /** The statuses after so many others, with what EKS says of them. */
    const statuses = (from: number) =>
      stack.controlPlane
        .history()
        .flatMap((one) => (one.id === id ? [{ status: one.status, message: one.message }] : []))
        .slice(from);
    const before = statuses(0).length;
    const failed = (update: string) =>
      `the update VersionUpdate ${update} has failed: Ec2SubnetNotFound: the subnet is gone`;

    const first = failUpdate();
    await stack.controlPlane.waitFor(id, 'progressing', soon);
    await stack.controlPlane.waitFor(id, 'active', soon);
    const second = failUpdate();
    await stack.controlPlane.waitFor(id, 'progressing', soon);
    stack.eks?.settle(id);
    stack.eks?.clusterIssues(id, [{ code: 'Ec2SubnetNotFound', message: 'subnet-1 does not exist' }]);
    await expect.poll(() => statuses(before).at(-1)?.message, { timeout: soon }).toContain(failed(second));

    expect(statuses(before)).toMatchObject([
      { status: 'progressing', message: expect.stringContaining('is UPDATING') },
      { status: 'active', message: expect.stringContaining(failed(first)) },
      { status: 'progressing', message: expect.stringContaining('is UPDATING') },
      { status: 'degraded', message: expect.stringContaining('subnet-1 does not exist') },
    ]);

    await dcm.delete(id);
    await expect.poll(() => statuses(before).at(-1)?.status, { timeout: soon }).toBe('deleted');
  });
});

describe('containers and clusters, called by an older DCM', () => {
  let stack: TestStack;
  let ecs: ECSClient;
  beforeAll(async () => {
    stack = await testStack({
      ...{ pollFloorSeconds: 1, generation: 'old', healthIntervalMs: 500 },
      eks: { dwellMs: quickDwellMs },
    });
    ecs = new ECSClient(clientConfig(stack.endpoints.ecsUrl ?? ''));
  });
  afterAll(async () => {
    ecs?.destroy();
    await stack?.[Symbol.asyncDispose]();
  });

  const user = () => olderDcmUser(controlPlaneClient(stack.endpoints.controlPlaneUrl), provider);

  it('go through their lives in DCM', async () => {
    await liveThrough(user(), stack);
  });

  it('have a container DELETED within 30 seconds that ignores the signal to end', async () => {
    const dcm = user();
    await dcm.isReady('container', soon);
    const id = await dcm.create(
      containerSpec('stubborn', { command: ['ignore-sigterm'] }),
      crypto.randomUUID(),
    );
    await dcm.reaches(id, 'running', soon);
    const askedAtMs = Date.now();

    await dcm.delete(id);

    const end = () => stack.controlPlane.history().find((one) => one.id === id && one.status === 'deleted');
    await expect.poll(end, { timeout: soon }).toBeDefined();
    expect((end()?.receivedAtMs ?? Number.POSITIVE_INFINITY) - askedAtMs).toBeLessThan(30_000);
  });

  const stopTask = async (id: string) => {
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({ cluster: provider, startedBy: `${provider}/${id}` }),
    );
    for (const task of taskArns)
      await ecs.send(new StopTaskCommand({ cluster: provider, task, reason: 'stopped outside DCM' }));
  };

  it.each([
    { serviceType: 'container', skipped: ['U1'] }, // the provider is registered already
    { serviceType: 'cluster', skipped: [] },
  ])(
    'conform to everything that DCM relies on: $serviceType',
    async ({ serviceType, skipped }) => {
      const { natsUrl, providerApiUrl, providerApiToken: token, controlPlaneUrl } = stack.endpoints;
      const options = {
        ...{ provider: providerApiUrl, token, nats: natsUrl, serviceType, timeout: 90 },
        controlPlane: controlPlaneUrl,
      };
      const restartNats = async () => {
        await stack.nats?.stop();
        await stack.nats?.start();
      };

      const results = await conformance(
        options,
        checksOfOlderDcm(serviceType).filter(({ needs }) => needs !== '--registry-port'),
        {
          cancel: new AbortController().signal,
          ...{ onResult: () => undefined, say: () => undefined },
          outside: { restartNats, stop: stopTask },
        },
      );

      const failed = results.flatMap((one) => (one.verdict === 'fail' ? [`${one.id}: ${one.reason}`] : []));
      expect(failed).toEqual([]);
      expect(results.flatMap(({ id, verdict }) => (verdict === 'skip' ? [id] : []))).toEqual(skipped);
    },
    600_000,
  );
});
