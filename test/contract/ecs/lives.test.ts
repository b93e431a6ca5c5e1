import type { Task } from '@aws-sdk/client-ecs';
import { describe, expect, it, vi } from 'vitest';
import type { EventBridgeEvent } from '../../../shared/wire/eventbridge.ts';
import { type EcsSubject, startSubject } from './subject.ts';

/** The statuses that the events name, each with `*` where the task is to stop. */
const told = ({ events }: EcsSubject) =>
  events.map(({ detail }) => `${detail.lastStatus}${detail.desiredStatus === 'STOPPED' ? '*' : ''}`);

const started = ['PROVISIONING', 'PENDING', 'PENDING', 'ACTIVATING', 'RUNNING'];

const exitOf = ({ stopCode, containers }: Task) => ({
  stopCode,
  exitCode: containers?.[0]?.exitCode,
  reason: containers?.[0]?.reason,
});

describe('ECS emulator, the life of a task', () => {
  it('goes through every status, and emits an event for each change, in order', async () => {
    await using subject = await startSubject();

    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');
    await subject.stop(task);
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(told(subject)).toEqual([
      ...started,
      ...['RUNNING*', 'DEACTIVATING*', 'STOPPING*', 'STOPPING*', 'DEPROVISIONING*', 'STOPPED*'],
    ]);
    expect(subject.events.map(({ detail }) => detail.version)).toEqual(
      subject.events.map((_, index) => index + 1),
    );
    expect(stopped.version).toBe(subject.events.length);
    expect(subject.transitions.map(({ version }) => version)).toEqual(
      subject.events.map(({ detail }) => detail.version),
    );
  });

  it('keeps the time of each change, in its order', async () => {
    await using subject = await startSubject();
    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');
    await subject.stop(task);

    const stopped = await subject.reaches(task, 'STOPPED');

    const { createdAt, pullStartedAt, pullStoppedAt, startedAt } = stopped;
    const { stoppingAt, executionStoppedAt, stoppedAt } = stopped;
    const times = [
      createdAt,
      pullStartedAt,
      pullStoppedAt,
      startedAt,
      stoppingAt,
      executionStoppedAt,
      stoppedAt,
    ];
    expect(times.every((time) => time instanceof Date)).toBe(true);
    expect(times.map(Number)).toEqual(times.map(Number).sort((a, b) => a - b));
  });

  it('emits the event in the form that AWS documents: times as texts, the type eni, no tags', async () => {
    const clock = () => Date.parse('2026-08-22T10:30:00.789Z');
    await using subject = await startSubject({ clock });
    const tags = [{ key: 'managed-by', value: 'dcm' }];

    const task = await subject.run({}, { tags, startedBy: 'ec2-sp/web-1', group: 'ec2-sp/web-1/token' });
    const shown = await subject.reaches(task, 'RUNNING');

    const event = subject.events.find(({ detail }) => detail.lastStatus === 'RUNNING');
    expect(event).toMatchObject({
      ...{ version: '0', 'detail-type': 'ECS Task State Change', source: 'aws.ecs' },
      ...{ account: '123456789012', region: 'us-east-1', time: '2026-08-22T10:30:00Z', resources: [task] },
      detail: {
        ...{ taskArn: task, clusterArn: shown.clusterArn, version: shown.version },
        ...{ startedBy: 'ec2-sp/web-1', group: 'ec2-sp/web-1/token' },
        ...{ createdAt: '2026-08-22T10:30:00.789Z', updatedAt: '2026-08-22T10:30:00.789Z' },
        attachments: [{ type: 'eni', details: shown.attachments?.[0]?.details }],
        containers: [{ networkInterfaces: shown.containers?.[0]?.networkInterfaces }],
      },
    });
    expect(shown.attachments?.[0]?.type).toBe('ElasticNetworkInterface');
    expect(event?.detail).not.toHaveProperty('tags');
    expect(event?.detail).not.toHaveProperty('healthStatus');
  });

  it('can be stopped before it runs, and then has no exit code', async () => {
    await using subject = await startSubject({
      dwellMs: { missing: 0, PROVISIONING: 60_000, DEPROVISIONING: 5 },
    });
    const task = await subject.run();

    await subject.stop(task);
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(told(subject)).toEqual(['PROVISIONING', 'PROVISIONING*', 'DEPROVISIONING*', 'STOPPED*']);
    expect(exitOf(stopped)).toEqual({ stopCode: 'UserInitiated' });
    expect(stopped.startedAt).toBeUndefined();
  });
});

describe('ECS emulator, behaviour by convention', () => {
  it.each(['nonexistent.example.com/web:1', 'nonexistent/web', 'nginx:fake'])(
    'cannot pull the image %s',
    async (image) => {
      await using subject = await startSubject();

      const stopped = await subject.reaches(await subject.run({ image }), 'STOPPED');

      expect(told(subject)).toEqual([
        ...['PROVISIONING', 'PENDING', 'PENDING'],
        ...['PENDING*', 'DEPROVISIONING*', 'STOPPED*'],
      ]);
      expect(stopped.stoppedReason).toBe('Task failed to start');
      expect(exitOf(stopped)).toEqual({
        stopCode: 'TaskFailedToStart',
        reason: expect.stringContaining(`CannotPullContainerError`),
      });
      expect(stopped.startedAt).toBeUndefined();
    },
  );

  it.each([
    { process: { entryPoint: ['false'] }, exitCode: 1 },
    { process: { entryPoint: ['/bin/true'] }, exitCode: 0 },
    { process: { command: ['sleep', '0'] }, exitCode: 0 },
    { process: { entryPoint: ['sh', '-c', 'exit 42'] }, exitCode: 42 },
    { process: { entryPoint: ['oom'] }, exitCode: 137, reason: expect.stringContaining('OutOfMemoryError') },
  ])('runs $process and exits with $exitCode', async ({ process, exitCode, reason }) => {
    await using subject = await startSubject();

    const stopped = await subject.reaches(await subject.run(process), 'STOPPED');

    expect(told(subject)).toEqual([...started, 'RUNNING*', 'DEPROVISIONING*', 'STOPPED*']);
    expect(exitOf(stopped)).toEqual({ stopCode: 'EssentialContainerExited', exitCode, reason });
    expect(stopped.stoppedReason).toBe('Essential container in task exited');
  });

  it('sleeps for its seconds', async () => {
    await using subject = await startSubject();
    subject.emulator.scaleDwell(0.1);

    const stopped = await subject.reaches(await subject.run({ command: ['sleep', '3'] }), 'STOPPED');

    const ranMs = Number(stopped.executionStoppedAt) - Number(stopped.startedAt);
    expect(ranMs).toBeGreaterThanOrEqual(299);
  });

  it('runs everything else until SIGTERM, which ends it at once', async () => {
    await using subject = await startSubject();
    const task = await subject.run({ command: ['nginx', '-g', 'daemon off;'], stopTimeout: 120 });
    await subject.reaches(task, 'RUNNING');

    await subject.stop(task);

    expect(exitOf(await subject.reaches(task, 'STOPPED')).exitCode).toBe(143);
  });

  it('waits for the stop timeout of a container that ignores SIGTERM, and kills it', async () => {
    await using subject = await startSubject();
    subject.emulator.scaleDwell(0.1);
    const task = await subject.run({ entryPoint: ['ignore-sigterm'], stopTimeout: 3 });
    await subject.reaches(task, 'RUNNING');

    await subject.stop(task);
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(exitOf(stopped)).toEqual({ stopCode: 'UserInitiated', exitCode: 137 });
    expect(Number(stopped.executionStoppedAt) - Number(stopped.stoppingAt)).toBeGreaterThanOrEqual(299);
  });

  it('stops the other containers when an essential one exits, and lets the task run on without another', async () => {
    await using subject = await startSubject();
    const { emulator, events } = subject;
    const definition = await subject.register(
      {},
      {
        containerDefinitions: [
          { name: 'main', image: 'nginx' },
          { name: 'once', image: 'nginx', entryPoint: ['true'], essential: false },
          { name: 'proxy', image: 'envoy' },
        ],
      },
    );
    const { taskArn: task = '' } = await subject.runTask(definition);
    await subject.reaches(task, 'RUNNING');
    await vi.waitFor(() => expect(events).toHaveLength(started.length + 1));
    const withoutOnce = await subject.described(task);

    emulator.exit(task, { container: 'proxy', code: 9 });
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(withoutOnce).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
    expect(stopped.stopCode).toBe('EssentialContainerExited');
    expect(stopped.containers?.map(({ exitCode }) => exitCode)).toEqual([143, 0, 9]);
  });

  it('restarts a container in its running task once it has run for the restart period', async () => {
    let now = Date.parse('2026-08-22T10:30:00Z');
    await using subject = await startSubject({ clock: () => now });
    const { emulator, events } = subject;
    const restartPolicy = { enabled: true, restartAttemptPeriod: 60, ignoredExitCodes: [0] };
    const definition = await subject.register(
      {},
      { containerDefinitions: [{ name: 'main', image: 'nginx', restartPolicy }] },
    );
    const { taskArn: task = '' } = await subject.runTask(definition);
    await subject.reaches(task, 'RUNNING');

    now += 60_000;
    emulator.exit(task, { code: 1 });
    const restarted = await subject.described(task);
    emulator.exit(task, { code: 1 });
    const stopped = await subject.reaches(task, 'STOPPED');

    const containers = events.map(({ detail }) => JSON.stringify(detail.containers));
    expect(restarted).toMatchObject({ lastStatus: 'RUNNING', containers: [{ lastStatus: 'RUNNING' }] });
    expect(containers[started.length]).toContain('"lastStatus":"STOPPED","exitCode":1');
    expect(containers[started.length + 1]).toContain('"lastStatus":"RUNNING"');
    expect(exitOf(stopped).exitCode).toBe(1);
  });
});

describe('ECS emulator, what happens to tasks without a call of their owner', () => {
  const running = async (subject: EcsSubject) => {
    const task = await subject.run({}, { tags: [{ key: 'a', value: '1' }] });
    await subject.reaches(task, 'RUNNING');
    return task;
  };
  const firstStop = ({ events }: EcsSubject): EventBridgeEvent | undefined =>
    events.find(({ detail }) => detail.desiredStatus === 'STOPPED');

  it('takes the capacity of a spot task back, which the first event tells', async () => {
    await using subject = await startSubject();
    const task = await running(subject);

    subject.emulator.interruptSpot(task);
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(firstStop(subject)?.detail).toMatchObject({
      ...{ lastStatus: 'RUNNING', stopCode: 'SpotInterruption' },
      stoppedReason: 'Your Spot Task was interrupted.',
    });
    expect(stopped.stopCode).toBe('SpotInterruption');
    expect(stopped.tags).toEqual([{ key: 'a', value: '1' }]);
  });

  it('retires the host of a task', async () => {
    await using subject = await startSubject();
    const task = await running(subject);

    subject.emulator.retireHost(task);

    expect((await subject.reaches(task, 'STOPPED')).stopCode).toBe('TerminationNotice');
  });

  it('stops a task as another user, or as a service', async () => {
    await using subject = await startSubject();
    const [one, other] = [await running(subject), await running(subject)];

    subject.emulator.stopByOthers(one);
    subject.emulator.stopByOthers(other, { code: 'ServiceSchedulerInitiated', reason: 'scaled in' });

    expect(await subject.reaches(one, 'STOPPED')).toMatchObject({
      ...{ stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user', tags: [] },
    });
    expect(await subject.reaches(other, 'STOPPED')).toMatchObject({
      ...{ stopCode: 'ServiceSchedulerInitiated', stoppedReason: 'scaled in' },
    });
  });

  it('makes a task fail to start, with the reason of its container', async () => {
    await using subject = await startSubject({
      dwellMs: { missing: 0, PROVISIONING: 60_000, DEPROVISIONING: 5 },
    });
    const task = await subject.run();

    subject.emulator.failToStart(task, 'CannotStartContainerError: no such file');
    const stopped = await subject.reaches(task, 'STOPPED');

    expect(exitOf(stopped)).toEqual({
      ...{ stopCode: 'TaskFailedToStart', reason: 'CannotStartContainerError: no such file' },
    });
  });

  it('changes nothing of a task that is stopping already', async () => {
    await using subject = await startSubject({
      dwellMs: { missing: 0, PROVISIONING: 60_000, RUNNING: 60_000 },
    });
    const { emulator, events } = subject;
    const task = await subject.run();
    await subject.stop(task, 'deleted by DCM');

    emulator.failToStart(task, 'CannotStartContainerError: no such file');
    emulator.interruptSpot(task);
    emulator.exit(task, { code: 1 });

    expect(await subject.described(task)).toMatchObject({ stoppedReason: 'deleted by DCM', version: 2 });
    expect(events).toHaveLength(2);
  });

  it('ends a container without an exit code', async () => {
    await using subject = await startSubject();
    const task = await running(subject);

    subject.emulator.exit(task, { code: undefined });

    expect(exitOf(await subject.reaches(task, 'STOPPED'))).toEqual({ stopCode: 'EssentialContainerExited' });
  });

  it('forgets a stopped task at once, and refuses to forget one that has not stopped', async () => {
    await using subject = await startSubject();
    const task = await running(subject);
    expect(() => subject.emulator.forget(task)).toThrow('has not stopped');
    await subject.stop(task);
    await subject.reaches(task, 'STOPPED');

    subject.emulator.forget(task);

    expect(await subject.described(task)).toBeUndefined();
    expect(subject.emulator.tasks()).toEqual([]);
  });

  it('fails tasks that get no network interface', async () => {
    await using subject = await startSubject({
      faults: { failInterfaces: 'ResourceInitializationError: unable to create an ENI' },
    });

    const stopped = await subject.reaches(await subject.run(), 'STOPPED');

    expect(exitOf(stopped)).toEqual({
      stopCode: 'TaskFailedToStart',
      reason: 'ResourceInitializationError: unable to create an ENI',
    });
    expect(stopped.pullStartedAt).toBeUndefined();
  });
});
