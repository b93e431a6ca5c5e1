import { describe, expect, it } from 'vitest';
import { publishEvents } from '../../../functions/nats-bridge/publish-events.ts';
import { reportStatus } from '../../../functions/normaliser/normalise.ts';
import { readMessage } from '../../../functions/normaliser/read-message.ts';
import { type PolledType, pollTarget } from '../../../functions/poller/poll-target.ts';
import { randomPart } from '../../../shared/adapters/random-part.ts';
import { ThrottledError } from '../../../shared/core/errors.ts';
import type { Kind } from '../../../shared/core/kind.ts';
import type { ClusterStepRequest } from '../../../shared/ports/cluster-steps.ts';
import type { DescribedResource } from '../../../shared/ports/described-resources.ts';
import { clusterKind } from '../../../shared/service-types/cluster/kind.ts';
import { containerKind } from '../../../shared/service-types/container/kind.ts';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { memoryEventStream } from '../../fakes/memory-event-stream.ts';
import { memoryListings } from '../../fakes/memory-listings.ts';
import { memoryResourceStore } from '../../fakes/memory-resource-store.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { halfPastTen, identity } from '../../fixtures/resource-messages.ts';

const minuteMs = 60_000;
const account = '123456789012';
const startedAt = halfPastTen + 86_400;

/** One region with the resources of one kind, the poller, the normaliser and a clock that the test moves. */
const polled = (kind: Kind, more: Partial<PolledType> = {}) => {
  const clock = { ms: startedAt * 1000 };
  const now = () => clock.ms;
  const known = new Map<string, DescribedResource>();
  const queued: EventBridgeEvent[] = [];
  const steps: ClusterStepRequest[] = [];
  let calls = 0;
  const type: PolledType = {
    kind,
    service: kind.serviceType === 'cluster' ? 'EKS' : 'ECS',
    describeTimeoutMs: 500,
    factsSeen: ({ launchedAtMs }) => ({ launchedAtMs }),
    resources: {
      describe: async (_, ids) => new Map([...known].filter(([id]) => ids.includes(id))),
      list: async ({ token = '0' }) => {
        calls += 1;
        const start = Number(token);
        const nextToken = start + 100 < known.size ? String(start + 100) : undefined;
        return { resources: [...known.values()].slice(start, start + 100), nextToken };
      },
    },
    ...(kind.serviceType === 'cluster' && {
      steps: { request: async (requests) => void steps.push(...requests) },
    }),
    ...more,
  };
  const stream = memoryEventStream();
  const resourceStore = memoryResourceStore(now);
  const listings = memoryListings(now);
  const telemetry = { now, meter: countingMeter(), log: memoryLog() };
  const poll = pollTarget({
    ...{ ...identity, ...telemetry, types: [type], resourceStore, listings, floorSeconds: 10 },
    observations: { send: async (events) => void queued.push(...events) },
    random: () => 0,
  });
  const handle = reportStatus({
    ...{ ...identity, ...telemetry, types: [type], resourceStore, listings, randomPart },
    ...{ publisher: publishEvents(stream), burst: 9, retries: { deadLetter: async () => undefined } },
    observations: { send: async () => undefined },
  });
  const read = readMessage({ ...identity, ...telemetry, regions: ['us-east-1'] });

  /** Lists the region once, some minutes later, and has the normaliser process what was queued. */
  const list = async (minutes = 5) => {
    clock.ms += minutes * minuteMs;
    const { serviceType } = kind;
    await poll({ target: { region: 'us-east-1', serviceType }, mode: 'legacy' });
    const messages = queued.splice(0).map((event, index) => ({
      ...{ messageId: String(index), isRetry: true, resourceMessages: read(JSON.stringify(event)) },
    }));
    if (messages.length > 0) await handle(messages);
  };

  const show = (resourceId: string, dcmId: string, described: Partial<DescribedResource>) =>
    known.set(resourceId, {
      ...{
        resourceId,
        account,
        state: kind.startingState,
        reason: undefined,
        launchedAtMs: startedAt * 1000,
      },
      tags: { 'managed-by': 'dcm', 'dcm-instance-id': dcmId, 'dcm-provider': 'ec2-sp' },
      clientToken: '',
      ...described,
    });
  const statuses = () => stream.stored.map(({ data }) => Object(data).status);
  const calledOf = () => calls;
  const { log } = telemetry;
  return { clock, known, show, list, statuses, steps, stream, resourceStore, calledOf, listings, log };
};

const taskId = (n: number) => `task/${String(n).padStart(32, '0')}`;
const times = (...states: readonly (readonly [state: string, seconds: number])[]) => ({
  state: states.at(-1)?.[0] ?? '',
  stateTimes: states.map(([state, seconds]) => ({ state, at: startedAt + seconds })),
});
const exit = { code: 'ExitCode:0', message: 'exit code 0' };

describe('poller, with containers', () => {
  const privateAddress = '10.0.0.7';

  it('finds every state of a task whose events were lost, with its own time, and says it once', async () => {
    const { show, list, statuses, stream } = polled(containerKind);
    show(taskId(1), 'web-1', {
      ...times(['PENDING', 0], ['RUNNING', 40], ['STOPPED', 90]),
      ...{ privateAddress, reason: exit },
    });

    await list();
    await list();

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'SUCCEEDED']);
    expect(stream.stored.map(({ time }) => Date.parse(String(time)) / 1000 - startedAt)).toEqual([0, 40, 90]);
  });

  it('does not doubt a state that could be older in a listing of instances', async () => {
    const { show, list, statuses } = polled(containerKind);
    show(taskId(1), 'web-1', { ...times(['PENDING', 0]), privateAddress });
    await list(0);
    show(taskId(1), 'web-1', { ...times(['PENDING', 0], ['RUNNING', 20]), privateAddress });

    await list(0.5);

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING']);
  });

  it('reports a running task that ECS no longer knows as DELETED, after three listings and ten minutes', async () => {
    const { show, known, list, statuses } = polled(containerKind);
    show(taskId(1), 'web-1', { ...times(['PENDING', 0], ['RUNNING', 40]), privateAddress });
    await list();
    known.clear();

    await list();
    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING']);

    for (let listings = 0; listings < 4; listings++) await list();
    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'DELETED']);
  });

  it('says nothing more of a stopped task that ECS has forgotten', async () => {
    const { show, known, list, statuses } = polled(containerKind);
    show(taskId(1), 'web-1', {
      ...times(['PENDING', 0], ['RUNNING', 40], ['STOPPED', 90]),
      ...{ privateAddress, reason: exit },
    });
    await list();
    known.clear();

    for (let listings = 0; listings < 6; listings++) await list();

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'SUCCEEDED']);
  });

  it('puts the pages of ECS together, so that a thousand tasks cost one polling turn', async () => {
    const { show, list, statuses, calledOf } = polled(containerKind, { pagesAtOnce: 11 });
    for (let n = 0; n < 1_000; n++)
      show(taskId(n), `web-${n}`, { ...times(['PENDING', 0], ['RUNNING', 40]), privateAddress });

    await list();

    expect([calledOf(), statuses().length]).toEqual([10, 2_000]);
  });

  it('republishes a stopped task also where ECS has forgotten it', async () => {
    const { show, known, list, statuses, clock, listings } = polled(containerKind);
    show(taskId(1), 'web-1', {
      ...times(['PENDING', 0], ['RUNNING', 40], ['STOPPED', 90]),
      ...{ privateAddress, reason: exit },
    });
    await list();
    known.clear();
    const target = { region: 'us-east-1', serviceType: 'container' } as const;
    await listings.requestRepublication(target, Math.floor(clock.ms / 1000));

    await list();

    expect(statuses()).toEqual(['PROVISIONING', 'RUNNING', 'SUCCEEDED', 'SUCCEEDED']);
  });
});

describe('poller, with clusters', () => {
  const cluster = 'eks/us-east-1/c-1';
  const apiEndpoint = 'https://example.eks.amazonaws.com';

  it('reports an update that somebody else made, and its end', async () => {
    const { show, list, statuses, stream } = polled(clusterKind);
    for (const state of ['CREATING', 'ACTIVE', 'UPDATING', 'ACTIVE']) {
      show(cluster, 'c-1', { state, ...(state !== 'CREATING' && { apiEndpoint }) });
      await list();
    }

    expect(statuses()).toEqual(['PROGRESSING', 'ACTIVE', 'PROGRESSING', 'ACTIVE']);
    expect(stream.stored.map(({ data }) => Object(data).output_spec)).toEqual([
      undefined,
      { api_endpoint: apiEndpoint },
      undefined,
      { api_endpoint: apiEndpoint },
    ]);
  });

  it('takes an update before the first ACTIVE for progress, and reports it once', async () => {
    const { show, list, statuses } = polled(clusterKind);
    for (const state of ['CREATING', 'UPDATING', 'CREATING', 'ACTIVE']) {
      show(cluster, 'c-1', { state });
      await list();
    }

    expect(statuses()).toEqual(['PROGRESSING', 'ACTIVE']);
  });

  it('reports DEGRADED once, with its issue, however often it is listed', async () => {
    const { show, list, statuses, stream } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await list();
    show(cluster, 'c-1', { state: 'DEGRADED', reason: { message: 'Ec2SubnetNotFound: it is gone' } });

    for (let listings = 0; listings < 5; listings++) await list();

    expect(statuses()).toEqual(['ACTIVE', 'DEGRADED']);
    expect(stream.stored.at(-1)?.data).toMatchObject({
      message: expect.stringContaining('Ec2SubnetNotFound: it is gone'),
    });
  });

  it('reports another issue of a DEGRADED cluster, once (CC 37)', async () => {
    const { show, list, statuses, stream } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await list();
    for (const message of ['Ec2SubnetNotFound: it is gone', 'VpcNotFound: it is gone, too']) {
      show(cluster, 'c-1', { state: 'DEGRADED', reason: { message } });
      for (let listings = 0; listings < 3; listings++) await list();
    }

    expect(statuses()).toEqual(['ACTIVE', 'DEGRADED', 'DEGRADED']);
    expect(stream.stored.at(-1)?.data).toMatchObject({
      message: 'cluster c-1 is DEGRADED: VpcNotFound: it is gone, too',
    });
  });

  it('stays FAILED with another reason, once its creation is stuck', async () => {
    const { show, list, statuses, stream } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'JOINING' });
    await list();
    await list(45);
    show(cluster, 'c-1', { state: 'JOINING', reason: { message: 'node group workers is CREATING' } });

    for (let listings = 0; listings < 4; listings++) await list();

    expect(statuses()).toEqual(['PROGRESSING', 'FAILED', 'FAILED']);
    expect(stream.stored.at(-1)?.data).toMatchObject({
      message: expect.stringContaining('node group workers is CREATING; stuck'),
    });
  });

  it('stays DELETING while DCM deletes it, whatever EKS shows, until EKS no longer knows it', async () => {
    const { show, known, list, statuses, resourceStore } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await list();
    await resourceStore.requestDelete(cluster);

    for (const state of ['ACTIVE', 'DEGRADED', 'DELETING']) {
      show(cluster, 'c-1', { state });
      await list();
    }
    known.clear();
    for (let listings = 0; listings < 5; listings++) await list();

    expect(statuses()).toEqual(['ACTIVE', 'DELETING', 'DELETED']);
  });

  it('reports each reason of a deletion that EKS fails again and again, and each once', async () => {
    const { show, known, list, statuses, stream, resourceStore } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await list();
    await resourceStore.requestDelete(cluster);
    const round = async (...groups: string[]) => {
      for (const group of groups) {
        show(cluster, 'c-1', {
          state: 'DEGRADED',
          reason: { message: `EKS says ACTIVE; node group ${group}` },
        });
        await list();
      }
    };
    for (let rounds = 0; rounds < 4; rounds += 1)
      await round('workers is DELETING', 'workers is DELETE_FAILED: Ec2SecurityGroupDeletionFailure: in use');
    const afterRounds = statuses();
    for (let rounds = 0; rounds < 2; rounds += 1)
      await round('workers is DELETING', 'workers is DELETE_FAILED: IamNodeRoleNotFound: no role');
    const afterAnother = stream.stored.at(-1)?.data;
    await round('others is DELETING');
    known.clear();
    for (let listings = 0; listings < 5; listings++) await list();

    expect(afterRounds).toEqual(['ACTIVE', 'DELETING', 'DELETING']);
    expect(afterAnother).toMatchObject({ message: expect.stringContaining('IamNodeRoleNotFound: no role') });
    expect(statuses()).toEqual([...afterRounds, 'DELETING', 'DELETING', 'DELETED']);
  });

  it('requests a step for a cluster of ours whose DCM id another one has, which may have been created too late', async () => {
    const { show, list, steps, resourceStore, statuses } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await resourceStore.markForeign([cluster], 'c-1');

    await list();

    expect(steps).toEqual([{ dcmId: 'c-1', resourceId: cluster, continues: false }]);
    expect(statuses()).toEqual([]);
  });

  it('requests a step for a cluster that is not at rest, and for no other', async () => {
    const { show, list, steps, resourceStore } = polled(clusterKind);
    show(cluster, 'c-1', { state: 'CREATING' });
    show('eks/us-east-1/c-2', 'c-2', { state: 'ACTIVE' });
    await list();
    await list();
    expect(steps).toEqual([{ dcmId: 'c-1', continues: false }]);

    show(cluster, 'c-1', { state: 'ACTIVE' });
    await list();
    steps.splice(0);
    await resourceStore.requestDelete('eks/us-east-1/c-2');
    await list();
    expect(steps).toEqual([{ dcmId: 'c-2', continues: false }]);
  });
});

describe('poller, with clusters whose updates begin and end between two listings', () => {
  const cluster = 'eks/us-east-1/c-1';
  const failed = 'the update ConfigUpdate 1b0c has failed: AccessDenied: no';
  const workers = { message: 'node group workers is ACTIVE' };

  /** An ACTIVE cluster that has been listed, and EKS's updates of it. */
  const withUpdates = async () => {
    const updates: { beganAtMs: number; failure: string | undefined }[] = [];
    const asked: number[] = [];
    const errors: Error[] = [];
    const world = polled(clusterKind, {
      changes: {
        state: 'UPDATING',
        failure: async (_target, _id, sinceMs) => {
          asked.push(world.clock.ms);
          const error = errors.shift();
          if (error) throw error;
          return updates.findLast(({ beganAtMs }) => beganAtMs > sinceMs)?.failure;
        },
      },
    });
    world.show(cluster, 'c-1', { state: 'ACTIVE', reason: workers });
    await world.list();
    /** An update that nobody sees. */
    const update = (failure?: string) => updates.push({ beganAtMs: world.clock.ms + 60_000, failure });
    const listFor = async (minutes: number) => {
      for (let passed = 0; passed < minutes; passed += 5) await world.list();
    };
    const messages = () => world.stream.stored.map(({ data }) => Object(data).message);
    return { ...world, update, listFor, messages, asked, errors };
  };
  const active = `cluster c-1 is ACTIVE: ${workers.message}`;

  it('reports within the hour that one failed, once', async () => {
    const { update, listFor, messages, statuses } = await withUpdates();
    update(failed);

    await listFor(65);
    await listFor(180);

    expect(messages()).toEqual([active, `${active}; ${failed}`]);
    expect(statuses()).toEqual(['ACTIVE', 'ACTIVE']);
  });

  it('says nothing where it was successful, and asks EKS once an hour', async () => {
    const { update, listFor, messages, asked } = await withUpdates();
    update();

    await listFor(245);

    expect(messages()).toEqual([active]);
    expect(asked).toHaveLength(4);
  });

  it('reports another failure for the same reason', async () => {
    const { update, listFor, messages } = await withUpdates();
    update(failed);
    await listFor(65);
    const again = failed.replace('1b0c', '2f7e');
    update(again);

    await listFor(65);

    expect(messages()).toEqual([active, `${active}; ${failed}`, `${active}; ${again}`]);
  });

  it('asks again where EKS did not answer, and misses none', async () => {
    const { update, listFor, messages, errors, log } = await withUpdates();
    update(failed);
    errors.push(new ThrottledError('slow down'), new ThrottledError('slow down'));

    await listFor(75);

    expect(messages()).toEqual([active, `${active}; ${failed}`]);
    expect(log.lines.filter((line) => line.includes('how changes have ended'))).toHaveLength(2);
  });

  it('reports it with the state that the cluster has since', async () => {
    const { update, listFor, messages, show } = await withUpdates();
    update(failed);
    await listFor(55);
    show(cluster, 'c-1', { state: 'DEGRADED', reason: { message: 'VpcNotFound: gone' } });

    await listFor(10);

    expect(messages()).toEqual([active, `cluster c-1 is DEGRADED: VpcNotFound: gone; ${failed}`]);
  });

  it('does not ask about a cluster that is being changed or deleted', async () => {
    const { listFor, show, resourceStore, asked } = await withUpdates();
    show(cluster, 'c-1', { state: 'UPDATING' });
    await listFor(65);
    show(cluster, 'c-1', { state: 'ACTIVE' });
    await resourceStore.requestDelete(cluster);
    await listFor(65);

    expect(asked).toEqual([]);
  });
});
