import { describe, expect, it } from 'vitest';
import { takeStep, takeSteps } from '../../../functions/cluster-steps/take-step.ts';
import {
  FailedPreconditionError,
  InvalidArgumentError,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UnreadableError,
} from '../../../shared/core/errors.ts';
import { clusterStepIn, clusterStepMessage } from '../../../shared/wire/cluster-step.ts';
import {
  admin,
  asked,
  type ClusterWorld,
  clusterWorld,
  dcmId,
  lifecycle,
  otherAccount,
  recordState,
  resourceId,
  untilAtRest,
} from './world.ts';

const chained = { dcmId, continues: true };

/** A world with a cluster that EKS is creating, and the calls since. */
const created = async (given?: Parameters<typeof clusterWorld>[0]) => {
  const world = clusterWorld(given);
  await lifecycle(world.parts).create(asked);
  world.eks.calls.length = 0;
  world.queue.length = 0;
  world.events.length = 0;
  const later = (minutes: number) => {
    world.clock.ms += minutes * 60_000;
  };
  return { ...world, later, step: () => takeStep(world.parts)(chained) };
};

/** The same with an ACTIVE cluster with its workers. */
const complete = async () => {
  const world = await created();
  await untilAtRest(world);
  await recordState(world, 'ACTIVE');
  world.eks.calls.length = 0;
  return world;
};

describe('the steps of a cluster in another account', () => {
  const inOther = { ...asked, account: otherAccount };
  const lived = async () => {
    const world = clusterWorld({ account: otherAccount });
    await lifecycle(world.parts).create(inOther);
    await untilAtRest(world);
    return world;
  };

  it('are taken there, with the node role of that account, from its creation to its deletion', async () => {
    const world = await lived();
    const { eks, parts } = world;
    expect([...eks.clusters.values()].map(({ status }) => status)).toEqual(['ACTIVE']);
    expect(eks.nodeRoles).toEqual([`arn:aws:iam::${otherAccount}:role/node`]);

    await lifecycle(parts).delete(dcmId, 'request-2');
    await untilAtRest(world);

    expect(eks.clusters.size).toBe(0);
    expect(world.events.at(-1)).toMatchObject({ account: otherAccount, detail: { state: 'DELETED' } });
  });

  it('are not taken where the account has no settings of clusters any more', async () => {
    const { parts, eks, queue } = await lived();
    eks.calls.length = 0;
    queue.length = 0;
    await parts.records.requestDelete(dcmId);

    await takeStep({ ...parts, settingsIn: () => undefined })(chained);

    expect([eks.calls, queue]).toEqual([[], []]);
    expect(parts.log.lines.at(-1)).toMatch(/its account has no settings of clusters/);
  });
});

describe('a step of a cluster', () => {
  it('waits while EKS creates the cluster, and is queued again', async () => {
    const { step, eks, queue } = await created();

    await step();

    expect(eks.calls).toEqual([]);
    expect(queue).toEqual([{ request: { ...chained, wasSeen: true }, afterSeconds: 25 }]);
  });

  it('makes administrators, then the workers, then rests (CC 29)', async () => {
    const { step, eks, queue } = await created();
    eks.progress();

    await step();
    await step();
    await step();
    eks.progress();
    queue.length = 0;
    await step();

    expect(eks.calls).toEqual([`add ${admin} to ${dcmId}`, `create workers of ${dcmId}`]);
    expect(queue).toEqual([]);
  });

  it('is taken once where nothing is to follow by itself, as for the poller', async () => {
    const { parts, eks, queue } = await created();

    await takeStep(parts)({ dcmId, continues: false });

    expect([eks.calls, queue]).toEqual([[], []]);
  });

  it('is taken again later where EKS says that an update is in progress (CC 26)', async () => {
    const { step, eks, queue, events } = await created();
    eks.progress();
    eks.refusals.push(new FailedPreconditionError('update in progress'));

    await step();
    await step();

    expect(eks.calls).toEqual([`add ${admin} to ${dcmId}`, `add ${admin} to ${dcmId}`]);
    expect(queue).toHaveLength(2);
    expect(events).toEqual([]);
  });

  it('is delivered again by SQS where EKS throttles it', async () => {
    const { parts, eks } = await created();
    eks.progress();
    const throttled = new ThrottledError('slow down');
    eks.refusals.push(throttled);

    const failures = await takeSteps(parts)([{ messageId: 'm-1', resourceMessages: [chained] }]);

    expect([...failures]).toEqual([['m-1', throttled]]);
  });

  it('has the creation reported as failed where EKS refuses the workers for good', async () => {
    const { step, eks, events, queue } = await created();
    eks.progress();
    await step();
    queue.length = 0;
    eks.refusals.push(new InvalidArgumentError('there is no node role'));

    await step();

    expect(events).toMatchObject([
      { detail: { 'instance-id': resourceId, notice: 'stuck-launch', text: 'there is no node role' } },
    ]);
    expect(queue).toEqual([]);
  });

  it('has the creation reported as stuck where the workers do not come for 40 minutes', async () => {
    const { step, eks, events, later } = await created();
    eks.progress();
    await step();
    await step();
    later(41);

    await step();

    expect(events).toMatchObject([{ detail: { 'instance-id': resourceId, notice: 'stuck-launch' } }]);
  });

  it('is queued again with the time since when EKS has not shown the cluster, until EKS shows it', async () => {
    const { step, eks, parts, queue, clock, later } = await created();
    const [[name, held] = [dcmId, undefined]] = eks.clusters;
    eks.clusters.clear();
    await step();
    const unseenSinceMs = clock.ms;
    later(5);
    await takeStep(parts)({ ...chained, unseenSinceMs });
    expect(queue.map(({ request }) => request.unseenSinceMs)).toEqual([unseenSinceMs, unseenSinceMs]);

    if (held) eks.clusters.set(name, held);
    await takeStep(parts)({ ...chained, unseenSinceMs });

    expect(queue.at(-1)?.request.unseenSinceMs).toBeUndefined();
  });

  it('is not taken for a cluster that this provider did not create', async () => {
    const { eks, parts, clock } = clusterWorld();
    const facts = { launchedAtMs: clock.ms };
    const plan = { ...(await parts.plan({}, { dcmId, generation: 0 })) };
    await eks.actions.create(plan, 'the token of another program');
    await parts.records.adopt({
      ...{ dcmId, region: 'us-east-1', resourceId, account: '123456789012', facts, adopted: true },
    });
    await parts.records.requestDelete(dcmId);
    eks.progress();
    eks.calls.length = 0;

    await takeStep(parts)(chained);

    expect(eks.calls).toEqual([]);
  });

  it('is not taken for a cluster whose tags name another DCM id', async () => {
    const world = await created();
    const held = world.eks.clusters.get(dcmId);
    if (held) world.eks.clusters.set(dcmId, { ...held, tags: { ...held.tags, 'dcm-instance-id': 'c-2' } });
    await world.parts.records.requestDelete(dcmId);
    world.eks.progress();

    await world.step();

    expect(world.eks.calls).toEqual([]);
  });
});

describe('a deletion of a cluster', () => {
  it('removes the node groups, waits, then removes the cluster and reports its end (CC 21)', async () => {
    const world = await complete();
    await lifecycle(world.parts).delete(dcmId, 'request-2');
    world.events.length = 0;

    for (let steps = 0; steps < 3; steps++) {
      await world.step();
      world.eks.progress();
    }

    expect(world.eks.calls).toEqual([`delete workers of ${dcmId}`, `delete ${dcmId}`]);
    expect(world.events).toMatchObject([{ detail: { 'instance-id': resourceId, state: 'DELETED' } }]);
  });

  it('is repeated until EKS has created the cluster', async () => {
    const world = await created();
    await lifecycle(world.parts).delete(dcmId, 'request-2');

    await world.step();
    world.eks.progress();
    await world.step();

    expect(world.eks.clusters.get(dcmId)?.status).toBe('DELETING');
  });

  it('deletes a node group again whose deletion failed (CC 35)', async () => {
    const world = await complete();
    await lifecycle(world.parts).delete(dcmId, 'request-2');
    world.eks.clusters
      .get(dcmId)
      ?.groups.set('workers', { name: 'workers', status: 'DELETE_FAILED', issues: [] });

    await world.step();

    expect(world.eks.calls).toEqual([`delete workers of ${dcmId}`]);
    expect(world.queue.at(-1)).toEqual({ request: { ...chained, wasSeen: true }, afterSeconds: 25 });
  });

  it('is reported only once EKS does not know the cluster, whatever workloads leave behind (CC 34)', async () => {
    const world = await complete();
    await lifecycle(world.parts).delete(dcmId, 'request-2');
    world.eks.clusters.get(dcmId)?.groups.clear();
    world.events.length = 0;

    await world.step();
    await world.step();
    expect(world.events).toEqual([]);

    world.eks.progress();
    await world.step();
    expect(world.events).toMatchObject([{ detail: { state: 'DELETED' } }]);
  });

  it('ends in DELETED at once where EKS has shown the young cluster in an earlier step', async () => {
    const world = await created();
    await world.step();
    await lifecycle(world.parts).delete(dcmId, 'request-2');
    world.eks.clusters.delete(dcmId);

    await takeStep(world.parts)({ dcmId, continues: true, wasSeen: true });

    expect(world.events.at(-1)).toMatchObject({ detail: { state: 'DELETED' } });
  });

  it('of a cluster that is gone already ends in DELETED, too (CC 40)', async () => {
    const world = await complete();
    world.eks.clusters.delete(dcmId);

    await lifecycle(world.parts).delete(dcmId, 'request-2');
    await world.step();

    expect(world.events.at(-1)).toMatchObject({ detail: { state: 'DELETED' } });
  });

  it('is completed by a step that was queued before, where the request ends in between', async () => {
    const world = await complete();
    world.queue.length = 0;
    const failing = {
      ...world.parts,
      clusters: { ...world.parts.clusters, describe: () => Promise.reject(new UnavailableError('crashed')) },
    };

    await expect(lifecycle(failing).delete(dcmId, 'request-2')).rejects.toThrow('crashed');

    expect(world.queue).toEqual([{ request: chained, afterSeconds: 30 }]);
    await world.step();
    expect(world.eks.calls.filter((call) => call.startsWith('delete '))).toHaveLength(1);
  });

  it('has EKS’s refusal published, and goes on', async () => {
    const world = await complete();
    await lifecycle(world.parts).delete(dcmId, 'request-2');
    world.queue.length = 0;
    world.eks.refusals.push(new InvalidArgumentError('deletion protection'));

    await world.step();

    expect(world.events.at(-1)).toMatchObject({
      detail: { notice: 'deletion-refused', text: 'deletion protection' },
    });
    expect(world.queue).toEqual([{ request: { ...chained, wasSeen: true }, afterSeconds: 25 }]);
  });
});

describe('a create of a cluster', () => {
  it('answers before EKS has created it, and queues the first step', async () => {
    const { parts, queue, eks } = clusterWorld();

    const answer = await lifecycle(parts).create(asked);

    expect(answer).toMatchObject({ id: dcmId, status: 'PROGRESSING', cluster_name: dcmId, kubeconfig: '' });
    expect(eks.clusters.get(dcmId)?.status).toBe('CREATING');
    expect(queue).toEqual([{ request: chained, afterSeconds: 0 }]);
  });

  it('is refused where another cluster has the name, and succeeds under another name when repeated (CC 22)', async () => {
    const { parts, eks } = clusterWorld();
    await eks.actions.create(await parts.plan({}, { dcmId, generation: 0 }), 'the token of another program');

    await expect(lifecycle(parts).create(asked)).rejects.toThrow(UnprocessableError);

    expect((await lifecycle(parts).create(asked)).cluster_name).toBe(`${dcmId}_1`);
  });

  it('has a kubeconfig without a secret once the cluster has an endpoint (CC 28)', async () => {
    const world = await complete();
    await world.parts.resourceStore.claim({
      ...{ resourceId, dcmId, region: 'us-east-1', account: '123456789012', apiEndpoint: 'https://c-1.eks' },
    });

    const { kubeconfig } = await lifecycle(world.parts).read.get(dcmId);
    const listed = await lifecycle(world.parts).read.list({
      ...{ target: { region: 'us-east-1' }, maximumPageSize: 10, pageToken: undefined },
    });

    const config = JSON.parse(Buffer.from(kubeconfig, 'base64').toString());
    expect(config.clusters[0].cluster).toEqual({
      ...{ server: 'https://c-1.eks', 'certificate-authority-data': 'Y2E=' },
    });
    expect(Object.keys(config.users[0].user)).toEqual(['exec']);
    expect(config.users[0].user.exec.args).toContain('get-token');
    expect(listed.results[0]?.kubeconfig).toBe('');
  });
});

describe('a cluster that was created too late to become the one of its id', () => {
  /** DCM deletes the id while EKS takes long to answer; then what else happens, until EKS answers the first create. */
  const createdLate = async (meanwhile?: (world: ClusterWorld) => Promise<unknown>) => {
    const world = clusterWorld();
    const { parts, clock } = world;
    const slow = {
      ...parts.actions,
      async create(...asked: Parameters<typeof parts.actions.create>) {
        clock.ms += 12_000; // nobody waits for the first create any more
        await lifecycle(parts).delete(dcmId, 'request-2');
        await meanwhile?.(world);
        return parts.actions.create(...asked);
      },
    };
    const answer = lifecycle({ ...parts, actions: slow }).create(asked);
    await expect(answer).rejects.toThrow(UnavailableError);
    const late = world.queue.flatMap(({ request }) => (request.resourceId ? [request] : []));
    const step = async () => {
      for (const request of late) await takeStep(parts)(request);
    };
    return { ...world, late, step };
  };
  const claim = async ({ parts, clock, eks }: ClusterWorld) => {
    const [name] = [...eks.clusters.keys()];
    const facts = { launchedAtMs: clock.ms };
    await parts.records.adopt({
      ...{ dcmId, region: 'us-east-1', resourceId: `eks/us-east-1/${name}`, account: '123456789012', facts },
      adopted: false,
    });
  };

  it('is deleted, as soon as EKS allows it', async () => {
    const { late, step, eks, queue } = await createdLate();
    expect(late).toEqual([{ dcmId, resourceId, continues: true }]);

    await step();
    expect(eks.clusters.get(dcmId)?.status).toBe('CREATING');
    expect(queue.at(-1)).toEqual({ request: late[0], afterSeconds: 25 });
    eks.progress();
    await step();
    eks.progress();
    queue.length = 0;
    await step();

    expect([[...eks.clusters.keys()], queue]).toEqual([[], []]);
  });

  it('is deleted although the next create has made the cluster of the id, which stays', async () => {
    const { step, eks } = await createdLate(({ parts }) => lifecycle(parts).create(asked));
    expect([...eks.clusters.keys()]).toEqual([`${dcmId}_1`, dcmId]);
    eks.progress();

    await step();
    eks.progress();

    expect([...eks.clusters.keys()]).toEqual([`${dcmId}_1`]);
  });

  it('is deleted although it was claimed meanwhile, since DCM has deleted the id', async () => {
    const world = await createdLate();
    await claim(world);
    world.eks.progress();

    await world.step();

    expect(world.eks.clusters.get(dcmId)?.status).toBe('DELETING');
  });

  it('is no cluster of the same attempt, of the record, of another region, or of others with copied tags', async () => {
    const world = await complete();
    await world.parts.records.requestDelete(dcmId);
    await world.parts.records.withdrawDelete(dcmId);
    const { tags } = world.eks.clusters.get(dcmId) ?? {};
    const plan = await world.parts.plan({}, { dcmId, generation: 0 });
    await world.eks.actions.create({ ...plan, name: 'a-copy', tags: { ...tags } }, 'another token');
    world.eks.progress();
    world.eks.calls.length = 0;

    for (const name of [dcmId, 'a-copy', `${dcmId}_1`, 'unknown'])
      await takeStep(world.parts)({ ...chained, resourceId: `eks/us-east-1/${name}` });
    await takeStep(world.parts)({ ...chained, resourceId: `eks/eu-west-1/${dcmId}` });
    await takeStep(world.parts)({ ...chained, resourceId: 'no id of a cluster' });

    expect(world.eks.calls).toEqual([]);
  });
});

describe('a message of the queue of steps', () => {
  it('is read as it was written', () => {
    expect(clusterStepIn(clusterStepMessage({ ...chained, wasSeen: true }))).toEqual({
      ...chained,
      wasSeen: true,
    });
    const unseen = { ...chained, wasSeen: true, unseenSinceMs: 1_787_394_600_000 };
    expect(clusterStepIn(clusterStepMessage(unseen))).toEqual(unseen);
    const late = { ...chained, resourceId };
    expect(clusterStepIn(clusterStepMessage(late))).toEqual(late);
  });

  it.each(['', '{}', '{"dcmId":""}', '[]'])('is refused as unreadable: %s', (body) => {
    expect(() => clusterStepIn(body)).toThrow(UnreadableError);
  });
});
