import { DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import { describe, expect, it } from 'vitest';
import { startSubject } from './ecs/subject.ts';

/** What the events say of the tasks, in their order. */
const toldOf = (events: readonly { readonly detail: Record<string, unknown> }[]) =>
  events.map(({ detail }) => `${detail.lastStatus} ${detail.desiredStatus}`);

describe('ECS emulator, the life of a task', () => {
  it('goes through every status, and emits an event for each change, in order', async () => {
    await using subject = await startSubject();

    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');
    await subject.stop(task, 'deleted by DCM');
    await subject.reaches(task, 'STOPPED');

    expect(toldOf(subject.events)).toEqual([
      'PROVISIONING RUNNING',
      'PENDING RUNNING',
      'PENDING RUNNING',
      'ACTIVATING RUNNING',
      'RUNNING RUNNING',
      'RUNNING STOPPED',
      'DEACTIVATING STOPPED',
      'STOPPING STOPPED',
      'STOPPING STOPPED',
      'DEPROVISIONING STOPPED',
      'STOPPED STOPPED',
    ]);
    expect(subject.events.map(({ detail }) => detail.version)).toEqual(
      subject.events.map((_, index) => index + 1),
    );
  });

  it('is listed while it runs, and apart once it is to stop', async () => {
    await using subject = await startSubject();
    const { ecs } = subject;
    const task = await subject.run();
    await subject.reaches(task, 'RUNNING');

    const running = await ecs.send(new ListTasksCommand({ cluster: 'dcm' }));
    await subject.stop(task);
    const left = await ecs.send(new ListTasksCommand({ cluster: 'dcm' }));
    const stopped = await ecs.send(new ListTasksCommand({ cluster: 'dcm', desiredStatus: 'STOPPED' }));

    expect([running.taskArns, left.taskArns, stopped.taskArns]).toEqual([[task], [], [task]]);
  });

  it('answers a task that it does not know under failures', async () => {
    await using subject = await startSubject();
    const id = '0123456789abcdef0123456789abcdef';

    const answer = await subject.ecs.send(new DescribeTasksCommand({ cluster: 'dcm', tasks: [id] }));

    expect(answer.tasks).toEqual([]);
    expect(answer.failures).toEqual([
      { arn: `arn:aws:ecs:us-east-1:123456789012:task/dcm/${id}`, reason: 'MISSING' },
    ]);
  });
});
