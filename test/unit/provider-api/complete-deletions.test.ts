import { describe, expect, it } from 'vitest';
import { completeDeletions, handleEvent } from '../../../functions/provider-api/complete-deletions.ts';
import { vmLifecycle } from '../../../functions/provider-api/service-types/vm.ts';
import {
  FailedPreconditionError,
  PermissionDeniedError,
  ThrottledError,
  UnavailableError,
} from '../../../shared/core/errors.ts';
import { acceptFault, invocationUntil } from '../../fakes/faulty.ts';
import { countingMeter, memoryLog } from '../../fakes/silent.ts';
import { httpApiEvent } from '../../fixtures/http-api-event.ts';
import { launchPlan } from '../../fixtures/launches.ts';
import { asked, completionTurn, dcmId, provider } from './provider.ts';

const region = 'us-east-1';
const leaseMs = 11_000;
const firstInstance = 'i-00000000000000001';
const terminations = (calls: readonly string[]) => calls.filter((call) => call.startsWith('terminate'));

/** A running VM, launched ten minutes ago. */
const running = async () => {
  const world = provider();
  const meter = countingMeter();
  await world.create(asked);
  await world.happens('running');
  world.clock.ms += 600_000;
  const turn = () => completionTurn(world.parts, meter);
  const lost = new Error('the function was stopped');
  const { requestDelete } = world.parts.records;
  /** A delete that ends right after it is recorded. */
  const recordDeletion = async () => {
    world.parts.records.requestDelete = async (id) => {
      await requestDelete(id);
      throw lost;
    };
    await expect(world.remove(dcmId)).rejects.toThrow(lost);
    world.parts.records.requestDelete = requestDelete;
  };
  const status = async () => {
    const held = (await world.parts.resourceStore.read([firstInstance])).get(firstInstance);
    return held?.owner === 'ours' ? held.vm.latest?.status : undefined;
  };
  return { ...world, meter, turn, recordDeletion, status };
};

describe('a deletion whose request ended early', () => {
  it('ends in DELETED without another delete, at whichever step of it the function was stopped (CC 33)', async () => {
    let stopped = 0;
    for (let step = 1; ; step++) {
      const { parts, ec2, clock, turn, happens, status } = await running();
      const { until, hasCrashed } = invocationUntil(step);
      const mortal = {
        ...parts,
        records: until(parts.records),
        resourceStore: until(parts.resourceStore),
        instances: until(parts.instances),
        actions: until(parts.actions),
        observations: until(parts.observations),
      };
      await vmLifecycle(mortal).delete(dcmId, 'request-2').catch(acceptFault);
      if (!hasCrashed()) break;
      stopped += 1;
      const { deleteRequestedAtMs } = (await parts.records.read(dcmId)) ?? {};
      if (deleteRequestedAtMs === undefined) continue; // it was stopped before it was recorded

      clock.ms += 120_000;
      await turn();
      expect([step, ec2.living()]).toEqual([step, []]);
      clock.ms += 1_000;
      await happens('shutting-down', { reason: { code: 'Client.UserInitiatedShutdown' } });
      clock.ms += 1_000;
      await happens('terminated', { reason: { code: 'Client.UserInitiatedShutdown' } });
      await turn();

      expect([step, await status()]).toEqual([step, 'DELETED']);
      expect(await parts.records.deletionsRequested({ region }, clock.ms)).toEqual([]);
    }
    expect(stopped).toBeGreaterThan(10);
  });

  it('is completed once, and counted', async () => {
    const { recordDeletion, turn, happens, clock, ec2, meter, queued, parts } = await running();
    await recordDeletion();
    queued.length = 0;
    clock.ms += 30_000;

    await turn();
    await happens('shutting-down');
    clock.ms += 120_000;
    await turn();

    expect(terminations(ec2.calls)).toEqual([`terminate ${firstInstance}`]);
    expect(queued.map(({ event }) => event)).toMatchObject([{ detail: { state: 'shutting-down' } }]);
    expect(meter.counts).toEqual({ deletionsCompleted: 1 });
    expect(parts.log.lines).toEqual(['warn: a deletion was completed whose request had ended before']);
  });

  it('is left to its request for half a minute', async () => {
    const { recordDeletion, turn, clock, ec2 } = await running();
    await recordDeletion();
    clock.ms += 29_000;

    await turn();

    expect(terminations(ec2.calls)).toEqual([]);
  });

  it('is completed later where EC2 throttles', async () => {
    const { recordDeletion, turn, clock, ec2, meter, parts } = await running();
    await recordDeletion();
    const { terminate } = ec2;
    ec2.terminate = () => Promise.reject(new ThrottledError('too many requests'));
    clock.ms += 30_000;

    await turn();
    ec2.terminate = terminate;
    await turn();

    expect(ec2.living()).toEqual([]);
    expect(meter.counts).toEqual({ deletionsCompleted: 1 });
    expect(parts.log.lines).toEqual([
      'warn: recorded deletions were not completed; the next turn continues',
      'warn: a deletion was completed whose request had ended before',
    ]);
  });

  it('is withdrawn where EC2 refuses it for good, and EC2 is not asked again', async () => {
    const { recordDeletion, turn, clock, ec2, meter, status, parts } = await running();
    await recordDeletion();
    ec2.isProtected.add(firstInstance);
    clock.ms += 30_000;

    await turn();
    const calls = ec2.calls.length;
    clock.ms += 120_000;
    await turn();

    expect(ec2.calls).toHaveLength(calls);
    expect(meter.counts).toEqual({ deletionsRefused: 1 });
    expect(parts.log.lines).toEqual(['error: a recorded deletion was refused, and is withdrawn']);
    expect(await status()).toBe('RUNNING');
    expect((await parts.records.read(dcmId))?.deleteRequestedAtMs).toBeUndefined();
  });

  it('is tried once a turn, and counted, while a permission is missing', async () => {
    const { recordDeletion, turn, clock, ec2, meter, parts } = await running();
    await recordDeletion();
    const { terminate } = ec2;
    let tries = 0;
    ec2.terminate = () => {
      tries += 1;
      return Promise.reject(new PermissionDeniedError('not authorized to perform: ec2:TerminateInstances'));
    };
    clock.ms += 30_000;

    await turn();
    await turn();
    expect(tries).toBe(2);
    ec2.terminate = terminate;
    await turn();

    expect(ec2.living()).toEqual([]);
    expect(meter.counts).toEqual({ deletionsRefused: 2, deletionsCompleted: 1 });
    expect(parts.log.lines.filter((line) => line.startsWith('error'))).toHaveLength(2);
  });

  it('changes no adopted VM', async () => {
    const { clock, parts, ec2 } = provider();
    const turn = () => completionTurn(parts);
    const [placement] = launchPlan().placements;
    const { instanceId, account } = await ec2.run(launchPlan(), placement, 'a token of somebody else');
    const facts = { launchedAtMs: clock.ms };
    await parts.records.adopt({ dcmId, region, resourceId: instanceId, account, facts, adopted: true });
    clock.ms += 600_000;
    await parts.records.requestDelete(dcmId);
    clock.ms += 30_000;

    await turn();

    expect(terminations(ec2.calls)).toEqual([]);
    expect((await parts.records.read(dcmId))?.deleteRequestedAtMs).toBeUndefined();
  });

  it('changes no instance that carries another id by now', async () => {
    const { recordDeletion, turn, clock, ec2 } = await running();
    await recordDeletion();
    const instance = ec2.instances.get(firstInstance);
    if (instance)
      ec2.instances.set(firstInstance, {
        ...instance,
        tags: { ...instance.tags, 'dcm-instance-id': 'vm-2' },
      });
    clock.ms += 30_000;

    await turn();

    expect(terminations(ec2.calls)).toEqual([]);
  });
});

describe('a deletion during a creation whose requests both ended early', () => {
  const launchedUnrecorded = async () => {
    const world = provider();
    const { launched } = world.parts.records;
    world.parts.records.launched = () => Promise.reject(new Error('the function was stopped'));
    await expect(world.create(asked)).rejects.toThrow('stopped');
    world.parts.records.launched = launched;
    await world.parts.records.requestDelete(dcmId);
    return { ...world, turn: () => completionTurn(world.parts) };
  };

  it('terminates the instance that was not recorded, once EC2 must show it', async () => {
    const { turn, clock, ec2 } = await launchedUnrecorded();

    clock.ms += 60_000;
    await turn();
    expect(ec2.living()).toHaveLength(1);
    clock.ms += 60_000;
    await turn();

    expect(ec2.living()).toEqual([]);
  });

  it('leaves the creation alone while a request has its lease', async () => {
    const { parts, ec2, clock } = provider();
    const turn = () => completionTurn(parts);
    await parts.records.begin({ dcmId, region, leaseMs: 300_000 });
    await parts.records.requestDelete(dcmId);
    clock.ms += 200_000;

    await turn();

    expect(ec2.calls).toEqual([]);
    expect(await parts.records.read(dcmId)).toBeDefined();
  });

  it('frees the id where nothing was launched', async () => {
    const { parts, clock } = provider();
    const turn = () => completionTurn(parts);
    await parts.records.begin({ dcmId, region, leaseMs });
    await parts.records.requestDelete(dcmId);
    clock.ms += 120_000;

    await turn();

    expect(await parts.records.read(dcmId)).toBeUndefined();
  });
});

describe('many recorded deletions', () => {
  const turnOf = (complete: (dcmId: string) => Promise<boolean>, more: object = {}) => {
    const ids = Array.from({ length: 40 }, (_, index) => `vm-${index}`);
    const clock = { ms: 0 };
    const [log, meter, asked] = [memoryLog(), countingMeter(), Array.of<string>()];
    const requested = async () => ids;
    const deletions = {
      requested,
      async complete(id: string) {
        asked.push(id);
        clock.ms += 1_000;
        return complete(id);
      },
    };
    const turn = completeDeletions({
      services: [
        { serviceType: 'vm', targets: [{ region }] },
        { serviceType: 'container', targets: [{ region }] },
      ],
      deletionsIn: () => ({
        vm: deletions,
        container: { requested, complete: async () => true },
        cluster: undefined,
      }),
      ...{ now: () => clock.ms, random: Math.random, log, meter, ...more },
    });
    return { turn, asked, log, meter, ids };
  };

  it('are spread over turns of fifteen seconds, in another order each time', async () => {
    const { turn, asked } = turnOf(async () => true);

    await turn();
    const first = asked.splice(0);
    await turn();

    expect(first).toHaveLength(15);
    expect(asked).not.toEqual(first);
  });

  it('are not kept waiting by one that is refused', async () => {
    const { turn, asked, meter } = turnOf(
      async (id) => {
        if (id === 'vm-0') throw new FailedPreconditionError('protected');
        return false;
      },
      { now: () => 0 },
    );

    await turn();

    expect(asked).toHaveLength(40);
    expect(meter.counts.deletionsRefused).toBe(1);
  });

  it('wait for the next turn where the service does not answer, and those of other service types do not', async () => {
    const { turn, asked, meter, log } = turnOf(async () => {
      throw new UnavailableError('EC2 did not answer');
    });

    await turn();

    expect(asked).toHaveLength(5);
    expect(meter.counts).toEqual({ deletionsCompleted: 40 });
    expect(log.lines).toContain('warn: recorded deletions were not completed; the next turn continues');
  });
});

describe('an invocation of the provider-api', () => {
  const invoked: string[] = [];
  const handle = handleEvent({
    http: async () => {
      invoked.push('http');
      return { statusCode: 200 };
    },
    completeDeletions: async () => void invoked.push('deletions'),
    runCanary: async () => void invoked.push('canary'),
    tryLaunch: async (target) => {
      invoked.push(target);
      return { instanceType: 't3.medium', imageId: 'ami-1' };
    },
  });

  it('by the schedules completes deletions and runs the canary, and by API Gateway answers HTTP', async () => {
    const scheduled = { do: 'complete-deletions' } as const;
    const asking = httpApiEvent({ method: 'POST', rawPath: '/', body: JSON.stringify(scheduled) });

    await handle(scheduled);
    await handle({ do: 'canary' });
    await handle(asking);
    const trial = await handle({ do: 'try-launch', target: 'prod/eu-west-1' });

    expect(invoked).toEqual(['deletions', 'canary', 'http', 'prod/eu-west-1']);
    expect(trial).toEqual({ statusCode: 200, body: '{"instanceType":"t3.medium","imageId":"ami-1"}' });
  });
});
