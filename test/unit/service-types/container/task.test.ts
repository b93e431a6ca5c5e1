import { describe, expect, it } from 'vitest';
import { snapshotOf } from '../../../../shared/service-types/container/ecs/tasks.ts';
import { containerKind } from '../../../../shared/service-types/container/kind.ts';
import {
  describedTask,
  marksOf,
  ownershipOf,
  type TaskSnapshot,
} from '../../../../shared/service-types/container/task.ts';
import { containerIdentity, taskArn, taskId, taskSnapshot } from '../../../fixtures/tasks.ts';

const described = (changes: Partial<TaskSnapshot>) => describedTask(taskSnapshot(changes), containerIdentity);

/** How a task is reported: the state that it is held as, and its status; undefined where it says nothing new. */
const reported = (changes: Partial<TaskSnapshot>, deleteRequested = false) => {
  const { state, stateTimes, reason } = described(changes);
  const held = containerKind.recordedState?.(state, { deleteRequested }) ?? undefined;
  if (held === undefined) return undefined;
  return {
    state: held,
    at: stateTimes?.at(-1)?.at,
    status: containerKind.statusOf(held, { reason, deleteRequested }),
    reason: reason?.message,
  };
};

const second = 1_767_323_000;
const at = (seconds: number) => (second + seconds) * 1000 + 500;
const created = { createdAtMs: at(0) };
const running = { ...created, startedAtMs: at(30), lastStatus: 'RUNNING' };
const stopping = { ...running, stoppingAtMs: at(40), desiredStatus: 'STOPPED', lastStatus: 'STOPPING' };
const deprovisioning = { ...stopping, executionStoppedAtMs: at(45), lastStatus: 'DEPROVISIONING' };
const stopped = {
  ...deprovisioning,
  stoppedAtMs: at(50),
  lastStatus: 'STOPPED',
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
};
const exited = (exitCode: number | undefined, reason?: string) => ({
  ...stopped,
  containers: [{ name: 'main', exitCode, reason }],
});
const failedToStart = {
  ...created,
  desiredStatus: 'STOPPED',
  lastStatus: 'STOPPED',
  stoppedAtMs: at(20),
  stopCode: 'TaskFailedToStart',
  stoppedReason: 'Task failed to start',
};

describe('a task', () => {
  it.each([
    [
      '2',
      'PROVISIONING',
      { ...created, lastStatus: 'PROVISIONING' },
      { state: 'PENDING', at: second, status: 'PROVISIONING' },
    ],
    [
      '2',
      'PENDING',
      { ...created, lastStatus: 'PENDING' },
      { state: 'PENDING', at: second, status: 'PROVISIONING' },
    ],
    [
      '2',
      'ACTIVATING',
      { ...created, lastStatus: 'ACTIVATING' },
      { state: 'PENDING', at: second, status: 'PROVISIONING' },
    ],
    ['3', 'RUNNING', running, { state: 'RUNNING', at: second + 30, status: 'RUNNING' }],
    [
      '4',
      'RUNNING and to be stopped',
      { ...running, desiredStatus: 'STOPPED', stoppingAtMs: at(40) },
      undefined,
    ],
    ['4', 'DEACTIVATING', { ...stopping, lastStatus: 'DEACTIVATING' }, undefined],
    ['4', 'STOPPING', stopping, undefined],
    [
      '7',
      'STOPPED, failed to start, with the reason of its container',
      { ...failedToStart, containers: [{ name: 'main', reason: 'CannotPullContainerError: not found' }] },
      { state: 'STOPPED', at: second + 20, status: 'FAILED', reason: 'CannotPullContainerError: not found' },
    ],
    [
      '7',
      'STOPPED, failed to start, without one',
      failedToStart,
      { state: 'STOPPED', at: second + 20, status: 'FAILED', reason: 'Task failed to start' },
    ],
    [
      '8',
      'STOPPED, exit code 0',
      exited(0),
      { state: 'STOPPED', at: second + 50, status: 'SUCCEEDED', reason: 'exit code 0' },
    ],
    [
      '9',
      'STOPPED, exit code 1',
      exited(1),
      { state: 'STOPPED', at: second + 50, status: 'FAILED', reason: 'exit code 1' },
    ],
    [
      '9',
      'STOPPED, exit code 143',
      exited(143),
      { state: 'STOPPED', at: second + 50, status: 'FAILED', reason: 'exit code 143' },
    ],
    [
      '9',
      'STOPPED, out of memory',
      exited(137, 'OutOfMemoryError: Container killed'),
      {
        state: 'STOPPED',
        at: second + 50,
        status: 'FAILED',
        reason: 'out of memory, exit code 137: OutOfMemoryError: Container killed',
      },
    ],
    [
      '10',
      'STOPPED, without an exit code',
      exited(undefined),
      { state: 'STOPPED', at: second + 50, status: 'FAILED', reason: 'Essential container in task exited' },
    ],
    [
      '11',
      'STOPPED, spot interruption, although the process ended with 0',
      { ...exited(0), stopCode: 'SpotInterruption' },
      { state: 'STOPPED', at: second + 50, status: 'FAILED' },
    ],
    [
      '11',
      'STOPPED, its host retired',
      { ...exited(143), stopCode: 'TerminationNotice' },
      { state: 'STOPPED', at: second + 50, status: 'FAILED' },
    ],
    [
      '12',
      'STOPPED by somebody else',
      { ...exited(143), stopCode: 'UserInitiated', stoppedReason: 'maintenance' },
      { state: 'DELETED', at: second + 50, status: 'DELETED', reason: 'maintenance' },
    ],
    [
      '12',
      'STOPPED by a scheduler',
      { ...exited(0), stopCode: 'ServiceSchedulerInitiated' },
      { state: 'DELETED', at: second + 50, status: 'DELETED' },
    ],
    [
      '13',
      'STOPPED without a stop code, exit code 0',
      { ...exited(0), stopCode: undefined },
      { state: 'STOPPED', at: second + 50, status: 'SUCCEEDED', reason: 'exit code 0' },
    ],
    [
      '13',
      'STOPPED with an unknown stop code, exit code 3',
      { ...exited(3), stopCode: 'SomethingNew' },
      { state: 'STOPPED', at: second + 50, status: 'FAILED', reason: 'exit code 3' },
    ],
    [
      '13',
      'STOPPED without anything',
      { ...stopped, stopCode: undefined, containers: [] },
      { state: 'STOPPED', at: second + 50, status: 'FAILED' },
    ],
    [
      '14',
      'DELETED',
      { ...exited(0), lastStatus: 'DELETED' },
      { state: 'DELETED', at: second + 50, status: 'DELETED' },
    ],
    [
      '17',
      'in an unknown state, to run',
      { ...running, lastStatus: 'HIBERNATING' },
      { state: 'RUNNING', at: second + 30, status: 'RUNNING' },
    ],
    ['17', 'in an unknown state, to be stopped', { ...stopping, lastStatus: 'HIBERNATING' }, undefined],
  ])('is reported by rule %s where it is %s', (_, __, task, expected) => {
    const found = reported(task);
    if (expected === undefined) expect(found).toBeUndefined();
    else expect(found).toMatchObject(expected);
  });

  it.each([
    ['5', 'STOPPING', stopping, { state: 'STOPPING', at: second + 40, status: 'DELETING' }],
    [
      '5',
      'RUNNING and to be stopped',
      { ...running, desiredStatus: 'STOPPED', stoppingAtMs: at(40) },
      { state: 'STOPPING', at: second + 40, status: 'DELETING' },
    ],
    ['6', 'DEPROVISIONING', deprovisioning, { state: 'DELETED', at: second + 45, status: 'DELETED' }],
    ['6', 'STOPPED', exited(137), { state: 'DELETED', at: second + 50, status: 'DELETED' }],
  ])('whose deletion DCM requested is reported by rule %s where it is %s', (_, __, task, expected) => {
    expect(reported(task, true)).toMatchObject(expected);
  });

  it('that starts for too long is FAILED once, and PENDING where the provider is registered directly (rules 2, 18)', () => {
    expect(containerKind.statusOf('PENDING', { notice: 'stuck-launch' })).toBe('FAILED');
    expect(containerKind.statusOf('PENDING', { startingAs: 'PENDING' })).toBe('PENDING');
  });

  it('proves every state that it was in, each with ECS’s own second (rule 15 of DCM’s suite)', () => {
    expect(described(exited(1)).stateTimes).toEqual([
      { state: 'PENDING', at: second },
      { state: 'RUNNING', at: second + 30 },
      { state: 'STOPPING', at: second + 40 },
      { state: 'DEPROVISIONING', at: second + 45 },
      { state: 'STOPPED', at: second + 50 },
    ]);
  });

  it('that ran for less than a second was RUNNING before it was STOPPED (CC 14)', () => {
    const short = {
      ...exited(1),
      createdAtMs: at(0),
      startedAtMs: at(0),
      stoppingAtMs: undefined,
      executionStoppedAtMs: undefined,
      stoppedAtMs: at(0),
    };

    expect(described(short).stateTimes).toEqual([
      { state: 'PENDING', at: second },
      { state: 'RUNNING', at: second },
      { state: 'STOPPED', at: second },
    ]);
    expect(containerKind.coalescesWithinSecond).toBe(false);
  });

  it('that is dead of a failed network interface is FAILED, though it never ran (CC 5)', () => {
    const task = { ...failedToStart, stoppedReason: 'Network interface provision failed' };
    expect(reported(task)).toMatchObject({ status: 'FAILED', reason: 'Network interface provision failed' });
  });

  it('without an exit code never counts as SUCCEEDED, whatever its stop code is (CC 8)', () => {
    for (const stopCode of [
      'EssentialContainerExited',
      'TaskFailedToStart',
      'SpotInterruption',
      'New',
      undefined,
    ])
      expect(reported({ ...exited(undefined), stopCode })?.status).toBe('FAILED');
  });

  it('that could not pull its image is FAILED with the error of the container (CC 9)', () => {
    const containers = [{ name: 'main', reason: 'CannotPullContainerError: pull access denied' }];
    expect(reported({ ...failedToStart, containers })?.reason).toBe(
      'CannotPullContainerError: pull access denied',
    );
  });

  it('that loops in a crash ends as FAILED, and one that exits with 0 as SUCCEEDED (CC 42)', () => {
    expect(reported(exited(1))?.status).toBe('FAILED');
    expect(reported(exited(0))?.status).toBe('SUCCEEDED');
  });

  it('without an address, as in PROVISIONING, is described without one (CC 16)', () => {
    const { privateAddress, publicAddress } = described({
      lastStatus: 'PROVISIONING',
      containers: [],
      attachments: [],
    });
    expect({ privateAddress, publicAddress }).toEqual({
      privateAddress: undefined,
      publicAddress: undefined,
    });
  });

  it('is ours by its group, with the client token of the launch, although it has no tags (CC 1)', () => {
    const marks = marksOf('ec2-sp', { dcmId: 'web-1', clientToken: 'token' });
    expect(ownershipOf(marks, containerIdentity)).toEqual({
      clientToken: 'token',
      tags: {
        'managed-by': 'dcm',
        'dcm-instance-id': 'web-1',
        'dcm-provider': 'ec2-sp',
        'dcm-service-type': 'container',
      },
    });
  });

  it.each([
    [{ startedBy: 'ec2-sp/web-1', group: 'family:x' }, 'web-1'],
    [{ startedBy: 'other', group: 'ec2-sp/web-1' }, 'web-1'],
    [{ startedBy: 'ec2-sp2/web-1', group: 'ec2-sp2/web-1' }, undefined],
    [{ startedBy: undefined, group: 'service:x' }, undefined],
  ])('with %j and without a token of ours is of the container %s, and not launched by us', (marks, dcmId) => {
    const { tags, clientToken } = ownershipOf(marks, containerIdentity);
    expect(tags['dcm-instance-id']).toBe(dcmId);
    expect(clientToken).toBe('');
  });

  it('has the id and the account of its ARN, with or without the name of the ECS cluster', () => {
    const older = taskArn.replace('/ec2-sp/', '/');
    for (const arn of [taskArn, older])
      expect(described({ taskArn: arn })).toMatchObject({
        resourceId: `task/${taskId}`,
        account: '123456789012',
      });
    expect(() => described({ taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/x' })).toThrow();
  });

  it('is the same in the API’s form as in the events’', () => {
    const [fromApi] = snapshotOf({
      ...{
        taskArn,
        lastStatus: 'RUNNING',
        desiredStatus: 'RUNNING',
        createdAt: new Date(at(0)),
        startedAt: new Date(at(30)),
      },
      attachments: [
        { type: 'ElasticNetworkInterface', details: [{ name: 'privateIPv4Address', value: '10.0.0.7' }] },
      ],
    });

    expect(fromApi && describedTask(fromApi, containerIdentity)).toMatchObject({
      state: 'RUNNING',
      privateAddress: '10.0.0.7',
      launchedAtMs: at(0),
    });
  });
});
