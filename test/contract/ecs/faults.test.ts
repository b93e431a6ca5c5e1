import {
  DescribeTasksCommand,
  ListTasksCommand,
  RunTaskCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ecs';
import { describe, expect, it, vi } from 'vitest';
import { documentedCallRates } from '../../../local/emulators/ecs/limits.ts';
import { type EcsSubject, refusal, startSubject, subnets } from './subject.ts';

const versions = ({ events }: EcsSubject) => events.map(({ detail }) => detail.version);

/** A task that runs to its end by itself, in eight changes. */
const whole = async (subject: EcsSubject): Promise<string> => {
  const task = await subject.run({ entryPoint: ['true'] });
  await subject.reaches(task, 'STOPPED');
  return task;
};

describe('ECS emulator, faults of events', () => {
  it('loses its share of the events, and keeps what it lost', async () => {
    await using subject = await startSubject({ seed: 1, faults: { loseEvents: 0.5 } });
    for (let count = 0; count < 5; count += 1) await whole(subject);

    const lost = subject.emulator.lostEvents();

    expect(subject.events.length + lost.length).toBe(40);
    expect(lost.length).toBeGreaterThan(10);
    expect(lost.length).toBeLessThan(30);
  });

  it('loses the events of one task, named by its id or its ARN', async () => {
    await using subject = await startSubject();
    const [byArn, byId, other] = [await subject.run(), await subject.run(), await subject.run()];
    subject.emulator.faults({ loseEventsOf: [byArn, byId.split('/').at(-1) ?? ''] });
    const before = subject.events.length;

    for (const task of [byArn, byId, other]) await subject.reaches(task, 'RUNNING');

    const later = subject.events.slice(before).flatMap(({ resources }) => resources);
    expect(new Set(later)).toEqual(new Set([other]));
  });

  it('emits no events in a silent region', async () => {
    await using subject = await startSubject({ faults: { silentRegions: ['us-east-1'] } });

    await whole(subject);

    expect(subject.events).toEqual([]);
    expect(subject.emulator.lostEvents()).toEqual([]);
  });

  it('emits events twice, with the same id', async () => {
    await using subject = await startSubject({ faults: { repeatEvents: 1 } });

    await whole(subject);

    expect(versions(subject)).toEqual([1, 2, 3, 4, 5, 6, 7, 8].flatMap((version) => [version, version]));
    expect(new Set(subject.events.map(({ id }) => id)).size).toBe(8);
  });

  it('swaps events with the next one of the task, and emits the last one although none follows', async () => {
    await using subject = await startSubject({ faults: { swapEvents: 1 } });

    await whole(subject);
    await vi.waitFor(() => expect(subject.events).toHaveLength(8), { timeout: 5000 });

    expect(versions(subject)).toEqual([2, 1, 4, 3, 6, 5, 8, 7]);
  });

  it('emits an event later where the next one never comes', async () => {
    await using subject = await startSubject({
      ...{ faults: { swapEvents: 1 }, dwellMs: { PROVISIONING: 60_000 } },
    });

    await subject.run();
    const atOnce = subject.events.length;

    await vi.waitFor(() => expect(versions(subject)).toEqual([1]), { timeout: 5000 });
    expect(atOnce).toBe(0);
  });

  it('emits events late', async () => {
    const ages: number[] = [];
    await using subject = await startSubject({
      emit: ({ detail }) => void ages.push(Date.now() - Date.parse(String(detail.updatedAt))),
      faults: { lateEvents: { share: 1, ms: 200 } },
    });

    await whole(subject);

    await vi.waitFor(() => expect(ages).toHaveLength(8), { timeout: 5000 });
    expect(Math.min(...ages)).toBeGreaterThanOrEqual(199);
  });

  it('logs an event that the bus did not take, and goes on', async () => {
    const lines: string[] = [];
    await using subject = await startSubject({
      emit: () => Promise.reject(new Error('the bus is down')),
      log: (line) => lines.push(line),
    });

    await whole(subject);

    expect(lines).toHaveLength(8);
    expect(lines[0]).toContain('ECS Task State Change');
    expect(lines[0]).toContain('the bus is down');
  });
});

describe('ECS emulator, faults of calls', () => {
  it('refuses some of the calls with ThrottlingException, without effect', async () => {
    await using subject = await startSubject({ seed: 1 });
    const definition = await subject.register();
    subject.emulator.faults({ throttle: 0.5 });

    const outcomes = await Promise.allSettled(Array.from({ length: 40 }, () => subject.runTask(definition)));

    const refused = outcomes.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
    expect(refused.length).toBeGreaterThan(10);
    expect(refused.length).toBeLessThan(30);
    expect(refused[0]).toMatchObject({ name: 'ThrottlingException', $metadata: { httpStatusCode: 400 } });
    expect(subject.emulator.tasks()).toHaveLength(40 - refused.length);
    expect(subject.emulator.calls()).toEqual({ RegisterTaskDefinition: 1, RunTask: 40 });
  });

  it('admits a burst of calls, and then as many as its rate', async () => {
    await using subject = await startSubject({ faults: { callRates: documentedCallRates } });
    const definition = await subject.register();
    const runTasks = (count: number) =>
      Promise.allSettled(Array.from({ length: count }, () => subject.runTask(definition)));

    const documented = await runTasks(documentedCallRates.RunTask.burst);
    subject.emulator.faults({ callRates: { RunTask: { burst: 3, perSecond: 0 } } });
    const few = await runTasks(5);

    expect(documented.every(({ status }) => status === 'fulfilled')).toBe(true);
    expect(few.filter(({ status }) => status === 'fulfilled').length).toBeLessThanOrEqual(3);
    expect(few.filter(({ status }) => status === 'rejected').length).toBeGreaterThanOrEqual(2);
  });

  it('refuses every call of an operation', async () => {
    await using subject = await startSubject({ faults: { refuse: { StopTask: 'ServerException' } } });
    const task = await subject.run();

    const error = await refusal(subject.stop(task));

    expect(error).toMatchObject({ name: 'ServerException', $metadata: { httpStatusCode: 500 } });
  });

  it('fails a registration as where another request registers the same family', async () => {
    await using subject = await startSubject({ faults: { failRegistrations: 1 } });

    const error = await refusal(subject.register());

    expect(error.name).toBe('ClientException');
    expect(error.message).toContain('Too many concurrent attempts');
  });

  it('refuses tags, and runs no task with them', async () => {
    await using subject = await startSubject({ faults: { refuseTags: true } });
    const definition = await subject.register();
    const tags = [{ key: 'a', value: '1' }];

    const errors = [
      await refusal(subject.runTask(definition, { tags })),
      await refusal(subject.ecs.send(new TagResourceCommand({ resourceArn: definition, tags }))),
      await refusal(subject.register({}, { tags })),
    ];

    expect(errors.map(({ name, message }) => [name, message.includes('ecs:TagResource')])).toEqual(
      errors.map(() => ['AccessDeniedException', true]),
    );
    expect(subject.emulator.tasks()).toEqual([]);
  });

  it('has no capacity for spot tasks, and some for the others', async () => {
    await using subject = await startSubject({
      faults: { noCapacity: [{ capacityProvider: 'FARGATE_SPOT' }] },
    });
    const definition = await subject.register();
    const capacityProviderStrategy = [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }];

    const spot = await subject.ecs.send(
      new RunTaskCommand(subject.runInput(definition, { capacityProviderStrategy })),
    );

    expect(spot).toMatchObject({ tasks: [], failures: [{ reason: expect.stringContaining('Capacity') }] });
    expect((await subject.runTask(definition)).taskArn).toBeDefined();
  });

  it('fails reads, lists nothing, or lists always the same part', async () => {
    await using subject = await startSubject({ seed: 1 });
    const { ecs, emulator } = subject;
    const tasks = emulator.populate({
      ...{ region: 'us-east-1', cluster: 'dcm', count: 60, subnetId: subnets[0] ?? '' },
      task: () => ({ startedBy: 'ec2-sp/web', group: 'ec2-sp/web', tags: {} }),
    });
    const list = async () => (await ecs.send(new ListTasksCommand({ cluster: 'dcm' }))).taskArns ?? [];

    emulator.faults({ partialListings: 0.5 });
    const [part, again] = [await list(), await list()];
    emulator.faults({ emptyListings: true });
    const none = await list();
    const { tasks: described = [] } = await ecs.send(
      new DescribeTasksCommand({ cluster: 'dcm', tasks: [...tasks] }),
    );
    emulator.faults({ failReads: 1 });

    expect(part.length).toBeGreaterThan(15);
    expect(part.length).toBeLessThan(45);
    expect(again).toEqual(part);
    expect(none).toEqual([]);
    expect(described).toHaveLength(60);
    expect((await refusal(list())).name).toBe('ServerException');
  });
});
