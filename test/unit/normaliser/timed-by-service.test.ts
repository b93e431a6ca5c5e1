import { describe, expect, it } from 'vitest';
import type { Observation, ResourceMessage, TagChange } from '../../../shared/core/message.ts';
import type { DescribedResource } from '../../../shared/ports/described-resources.ts';
import type { Records } from '../../../shared/ports/records.ts';
import type { ServedType } from '../../../shared/ports/served-type.ts';
import { clientToken } from '../../../shared/service-types/client-token.ts';
import { containerKind } from '../../../shared/service-types/container/kind.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';
import { awsAccount } from './account.ts';

const resourceId = 'task/0123456789abcdef0123456789abcdef';
const dcmId = 'web-1';
const place = { region: 'us-east-1', account: '123456789012' };
const tags = {
  'managed-by': 'dcm',
  'dcm-instance-id': dcmId,
  'dcm-provider': 'ec2-sp',
  'dcm-service-type': 'container',
};
const privateAddress = '10.0.0.7';
const exit = { code: 'ExitCode:1', message: 'exit code 1' };

type Times = readonly (readonly [state: string, seconds: number])[];

/** One event: whose task it is, and every state that it was in, each with its seconds after half past ten. */
const event = (times: Times, reason?: Observation['reason']): ResourceMessage[] => {
  const at = halfPastTen + (times.at(-1)?.[1] ?? 0);
  const token = clientToken('ec2-sp', { dcmId, generation: 0, attempt: 0 });
  const ownership: TagChange = { kind: 'tag-change', resourceId, ...place, at, tags, clientToken: token };
  return [
    ownership,
    ...times.map(
      ([state, seconds], index): Observation => ({
        ...{ kind: 'observation', resourceId, ...place, state, at: halfPastTen + seconds, seenBy: 'event' },
        privateAddress,
        ...(index === times.length - 1 && { reason }),
      }),
    ),
  ];
};

const task = (times: Times, more: Partial<DescribedResource> = {}): DescribedResource => ({
  ...{ resourceId, account: place.account, tags, reason: undefined, privateAddress },
  state: times.at(-1)?.[0] ?? '',
  stateTimes: times.map(([state, seconds]) => ({ state, at: halfPastTen + seconds })),
  launchedAtMs: halfPastTen * 1000,
  ...more,
});

const withContainers = (records?: Pick<Records, 'adopt' | 'read' | 'end'>) => {
  const account = awsAccount();
  const known = new Map<string, DescribedResource>();
  const calls: (readonly string[])[] = [];
  const containers: ServedType = {
    kind: containerKind,
    service: 'ECS',
    describeTimeoutMs: 500,
    ...(records && { records: { ...unused, ...records } }),
    factsSeen: ({ launchedAtMs }) => ({ launchedAtMs }),
    resources: {
      describe: async (_target, ids) => {
        calls.push(ids);
        return new Map(ids.flatMap((id) => [...known].filter(([one]) => one === id)));
      },
      list: async () => ({ resources: [...known.values()], nextToken: undefined }),
    },
  };
  const deliver = account.worker({ types: [containers], burst: 9 });
  const told = () => account.told(resourceId).map(({ status }) => status);
  return { ...account, known, calls, deliver, told };
};

const never = () => Promise.reject(new Error('not expected'));
const unused: Records = {
  ...{ read: never, begin: never, attempt: never, launched: never, abandon: never, adopt: never },
  ...{ requestDelete: never, withdrawDelete: never, creation: never, fail: never, failurePublished: never },
  ...{ end: never, list: never, count: never, deletionsRequested: never },
};

describe('normaliser, with a task whose states ECS times', () => {
  it('claims it by its event alone, and reports every state that the event proves, in order', async () => {
    const { deliver, told, calls, held } = withContainers();

    const failures = await deliver([
      event(
        [
          ['PENDING', 0],
          ['RUNNING', 40],
          ['STOPPED', 40],
        ],
        exit,
      ),
    ]);

    expect([failures.size, calls]).toEqual([0, []]);
    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'FAILED']);
    expect(await held(resourceId)).toMatchObject({ vm: { dcmId, state: 'STOPPED', privateAddress } });
  });

  it('reports nothing twice, however often and in whatever order its snapshots arrive', async () => {
    const { deliver, told, calls } = withContainers();
    const snapshots = [
      event([['PENDING', 0]]),
      event([
        ['PENDING', 0],
        ['RUNNING', 40],
      ]),
      event(
        [
          ['PENDING', 0],
          ['RUNNING', 40],
          ['STOPPED', 90],
        ],
        { code: 'ExitCode:0' },
      ),
    ];

    for (const index of [1, 0, 1, 2, 0, 1, 2]) await deliver([snapshots[index] ?? []], 2);

    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'SUCCEEDED']);
    expect(calls).toEqual([]);
  });

  it('repeats an end within five seconds of the create, marked as such, since DCM may have dropped the first one', async () => {
    const { deliver, stream } = withContainers();
    const ended: Times = [
      ['PENDING', 0],
      ['RUNNING', 2],
      ['STOPPED', 3],
    ];
    await deliver([event(ended, { code: 'ExitCode:0' })]);

    await deliver([{ kind: 'status-wanted', resourceId, ...place, at: halfPastTen + 4 }]);

    const [first, second] = stream.stored.slice(-2);
    expect(first).toMatchObject({ data: { id: dcmId, status: 'SUCCEEDED' } });
    expect(second).toEqual({
      ...first,
      id: expect.stringMatching(/:again$/),
      sequence: expect.not.stringMatching(`^${first?.sequence}$`),
      traceparent: expect.stringContaining(String(first?.traceparent).slice(0, 36)),
      republished: expect.any(String),
    });
    expect(stream.stored).toHaveLength(4);
  });

  it('says nothing of a stop that DCM did not request until the task has stopped', async () => {
    const { deliver, told } = withContainers();
    const running: Times = [
      ['PENDING', 0],
      ['RUNNING', 40],
    ];

    await deliver([event([...running, ['STOPPING', 60]])]);
    await deliver([event([...running, ['STOPPING', 60], ['DEPROVISIONING', 65]])]);
    expect(told()).toEqual(['PROVISIONING', 'RUNNING']);

    await deliver([event([...running, ['STOPPING', 60], ['DEPROVISIONING', 65], ['STOPPED', 70]], exit)]);
    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'FAILED']);
  });

  it('reports DELETED as soon as the containers of a task that DCM deletes have stopped', async () => {
    const { deliver, told, resourceStore } = withContainers();
    const running: Times = [
      ['PENDING', 0],
      ['RUNNING', 40],
    ];
    await deliver([event(running)]);
    await resourceStore.requestDelete(resourceId);

    await deliver([event([...running, ['STOPPING', 60]])]);
    await deliver([event([...running, ['STOPPING', 60], ['DEPROVISIONING', 65]])]);
    await deliver([event([...running, ['STOPPING', 60], ['DEPROVISIONING', 65], ['STOPPED', 70]], exit)]);

    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'DELETING', 'DELETED']);
  });

  it('accepts an end that is older than what is held', async () => {
    const { deliver, told, resourceStore } = withContainers();
    await deliver([
      event([
        ['PENDING', 0],
        ['RUNNING', 40],
      ]),
    ]);
    await resourceStore.requestDelete(resourceId);
    const stopping: Observation = {
      ...{ kind: 'observation', resourceId, ...place, seenBy: 'api' },
      ...{ state: 'STOPPING', at: halfPastTen + 100 },
    };
    await deliver([stopping]);

    await deliver([
      event([
        ['PENDING', 0],
        ['RUNNING', 40],
        ['DEPROVISIONING', 95],
      ]),
    ]);

    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'DELETING', 'DELETED']);
  });

  it('finds by a check every state whose event was lost, with its own time', async () => {
    const { deliver, due, known, told, calls, stream, clock } = withContainers();
    clock.ms = (halfPastTen + 1) * 1000;
    await deliver([event([['PENDING', 0]])]);
    known.set(
      resourceId,
      task(
        [
          ['PENDING', 0],
          ['RUNNING', 10],
          ['STOPPED', 12],
        ],
        { reason: exit },
      ),
    );

    await deliver(due(25));

    expect(calls).toEqual([[resourceId]]);
    expect(told()).toEqual(['PROVISIONING', 'RUNNING', 'FAILED']);
    expect(stream.stored.map(({ sequence }) => sequence)).toEqual([
      String(halfPastTen * 10),
      String((halfPastTen + 10) * 10 + 1),
      String((halfPastTen + 12) * 10 + 4),
    ]);
  });

  it('gives observations of an event and of an answer the same place', async () => {
    const times: Times = [
      ['PENDING', 0],
      ['RUNNING', 40],
    ];
    const { deliver, known, told, due, clock } = withContainers();
    clock.ms = (halfPastTen + 41) * 1000;
    await deliver([event([['PENDING', 0]])]);
    known.set(resourceId, task(times));
    await deliver(due(25));

    await deliver([event(times)]);

    expect(told()).toEqual(['PROVISIONING', 'RUNNING']);
  });

  it('asks for the public address of a running task alone, and no more once it has one', async () => {
    const ports = [{ port: 80, scope: 'external' }] as const;
    const facts = { launchedAtMs: halfPastTen * 1000, getsPublicAddress: true, ports };
    const record = {
      ...{ dcmId, region: place.region, account: place.account, resourceId, facts },
      ...{ generation: 0, attempt: 0, leaseNumber: 1, createdAtMs: 0, updatedAtMs: 0 },
    };
    const { deliver, known, calls, stream, clock } = withContainers({
      adopt: async () => 'known',
      read: async () => record,
      end: never,
    });
    clock.ms = (halfPastTen + 41) * 1000;
    const times: Times = [
      ['PENDING', 0],
      ['RUNNING', 40],
    ];
    known.set(resourceId, task(times, { publicAddress: '203.0.113.9' }));

    await deliver([event([['PENDING', 0]])]);
    await deliver([event(times)]);
    await deliver([event(times)]);
    await deliver([event([...times, ['STOPPED', 50]], exit)]);

    expect(calls).toEqual([[resourceId]]);
    expect(stream.stored.map(({ data }) => Object(data).output_spec)).toEqual([
      undefined,
      {
        endpoints: [
          { address: privateAddress, port: 80, scope: 'internal', protocol: 'TCP' },
          { address: '203.0.113.9', port: 80, scope: 'external', protocol: 'TCP' },
        ],
      },
      undefined,
    ]);
  });

  it('drops the events of other providers’ tasks without asking ECS', async () => {
    const { deliver, calls, told, held } = withContainers();
    const [ownership, ...rest] = event([
      ['PENDING', 0],
      ['RUNNING', 40],
    ]);
    const foreign =
      ownership?.kind === 'tag-change' ? { ...ownership, tags: {}, clientToken: '' } : undefined;

    const failures = await deliver([[...(foreign ? [foreign] : []), ...rest]]);

    expect([failures.size, calls, told()]).toEqual([0, [], []]);
    expect(await held(resourceId)).toEqual({ owner: 'unknown' });
  });
});
