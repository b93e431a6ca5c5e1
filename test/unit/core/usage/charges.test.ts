import { describe, expect, it } from 'vitest';
import { chargesOf, evidenceOf, fargateSecondsOf } from '../../../../shared/core/usage/charges.ts';
import { intervalsOf, type UsageEvent } from '../../../../shared/core/usage/intervals.ts';
import { clusterKind } from '../../../../shared/service-types/cluster/kind.ts';
import { containerKind } from '../../../../shared/service-types/container/kind.ts';
import { kinds } from '../../../../shared/service-types/kinds.ts';
import { vmKind } from '../../../../shared/service-types/vm/kind.ts';

const start = Date.UTC(2026, 10, 20, 10, 30) / 1000;
const byState = { vm: vmKind, container: containerKind, cluster: clusterKind };

const event = (state: string, at: number, more: Partial<UsageEvent> = {}): UsageEvent => {
  const { serviceType = 'vm' } = more;
  const key = String((start + at) * 10 + byState[serviceType].states.indexOf(state));
  return { resource: 'i-0000000000000000a', key, dcmId: 'web-1', serviceType, target: 'eu-west-1', ...more };
};

const charged = (events: readonly UsageEvent[], granularity: 'hour' | 'day' | 'month' = 'month') =>
  chargesOf(
    intervalsOf(events, kinds),
    { from: 0, until: Number.MAX_SAFE_INTEGER },
    { granularity, nowSeconds: start + 10_000 },
  );

const seconds = (events: readonly UsageEvent[]) =>
  charged(events).map(({ from, usedSeconds, billedSeconds }) => [from - start, usedSeconds, billedSeconds]);

describe('charges', () => {
  it('are of the time from running to stopping, with a minimum of a minute for each start', () => {
    expect(
      seconds([
        event('pending', 0),
        event('running', 5),
        event('stopping', 25),
        event('stopped', 40),
        event('pending', 50),
        event('running', 55),
        event('shutting-down', 155),
        event('terminated', 170),
      ]),
    ).toEqual([
      [5, 20, 60],
      [55, 100, 100],
    ]);
  });

  it('go on until now where nothing has ended', () => {
    expect(seconds([event('running', 0)])).toEqual([[0, 10_000, 10_000]]);
  });

  it('go on through a notice and a republication, which are of the same state', () => {
    const running = event('running', 0);
    const notice = { ...running, key: `${running.key}-${start + 50}-impaired` };
    const again = { ...running, key: `${running.key}-${start + 60}-again` };

    expect(seconds([notice, event('stopping', 100), again, running])).toEqual([[0, 100, 100]]);
  });

  it('include the time in which an instance hibernates, also where only its stop says so', () => {
    const hibernated = { reason: 'Client.UserInitiatedHibernate' };

    expect(seconds([event('running', 0), event('stopping', 100), event('stopped', 130, hibernated)])).toEqual(
      [[0, 130, 130]],
    );
    expect(seconds([event('running', 0), event('stopping', 100), event('stopped', 130)])).toEqual([
      [0, 100, 100],
    ]);
  });

  it('are divided where an instance gets another DCM id, with one minimum', () => {
    const running = event('running', 0);
    const left = { ...running, key: `${running.key}-${start + 30}-moved`, isReleased: true };
    const moved = { ...running, key: `${running.key}-${start + 31}-moved`, dcmId: 'web-2' };

    expect(
      charged([running, left, moved, event('stopping', 91, { dcmId: 'web-2' })]).map(
        ({ interval, usedSeconds }) => [interval.dcmId, usedSeconds],
      ),
    ).toEqual([
      ['web-1', 30],
      ['web-2', 60],
    ]);
  });

  it('have the type that the instance had in each run, whichever event shows it', () => {
    const [small, large] = [{ size: 't3.small' }, { size: 't3.large' }];
    const events = [
      event('running', 0, small),
      event('stopping', 100, small),
      event('running', 200, small), // what was held before
      event('stopping', 300, large),
    ];

    expect(charged(events).map(({ interval: { size } }) => size)).toEqual(['t3.small', 't3.small']);
    const seen = {
      ...event('running', 200, large),
      key: `${event('running', 200).key}-${start + 260}-again`,
    };
    expect(charged([...events, seen]).map(({ interval: { size } }) => size)).toEqual([
      't3.small',
      't3.large',
    ]);
  });

  it('of a run over the end of a month are two rows, of which the first has the minimum', () => {
    const monthEnd = Date.UTC(2026, 11, 1) / 1000 - start;

    expect(seconds([event('running', monthEnd - 15), event('stopping', monthEnd + 5)])).toEqual([
      [monthEnd - 15, 15, 55],
      [monthEnd, 5, 5],
    ]);
  });

  it('of SUSE are whole hours, of which the last row has the rest', () => {
    const suse = { platform: 'SUSE Linux' };

    const rows = charged([event('running', 0, suse), event('stopping', 3_700)], 'hour');
    expect(rows.map(({ usedSeconds, billedSeconds }) => [usedSeconds, billedSeconds])).toEqual([
      [1_800, 1_800],
      [1_900, 5_400],
    ]);
  });

  it.each([
    ['Linux/UNIX'],
    ['Ubuntu Pro'],
    ['Windows'],
    ['Windows with SQL Server Standard'],
    ['Red Hat Enterprise Linux'],
  ])('of %s are by the second, with a minimum of 60 s', (platform) => {
    const run = (seconds: number) => [event('running', 0, { platform }), event('stopping', seconds)];

    expect(seconds(run(59))).toEqual([[0, 59, 60]]);
    expect(seconds(run(61))).toEqual([[0, 61, 61]]);
  });

  it('are of no state but running', () => {
    for (const state of ['pending', 'stopping', 'stopped', 'shutting-down', 'terminated'])
      expect(seconds([event(state, 0)])).toEqual([]);
  });

  it('of SUSE are a whole hour for each start', () => {
    const suse = { platform: 'SUSE Linux' };

    expect(
      seconds([
        event('running', 0, suse),
        event('stopping', 10),
        event('running', 20, suse),
        event('stopped', 30),
      ]),
    ).toEqual([
      [0, 10, 3_600],
      [20, 10, 3_600],
    ]);
  });

  it('go on through a reboot, which has no event', () => {
    const running = event('running', 0);
    const address = { ...running, key: `${running.key}-${start + 30}-address` };

    expect(seconds([running, address, event('stopping', 200)])).toEqual([[0, 200, 200]]);
  });

  it('end with stopped, shutting-down or terminated where no stopping was seen', () => {
    for (const state of ['stopped', 'shutting-down', 'terminated'])
      expect(seconds([event('running', 0), event(state, 90)])).toEqual([[0, 90, 90]]);
  });

  it('of a spot instance that hibernates end with its stop, too', () => {
    expect(
      seconds([
        event('running', 0),
        event('stopping', 100, { reason: 'spot-hibernate' }),
        event('stopped', 130),
      ]),
    ).toEqual([[0, 130, 130]]);
  });

  it('of a task are not of the time in which it waits for its network, and have a minimum of a minute', () => {
    const task = { serviceType: 'container', resource: 'task/0123456789abcdef0123456789abcdef' } as const;

    expect(
      seconds([
        event('PENDING', 0, task),
        event('RUNNING', 10, task),
        event('STOPPING', 20, task),
        event('DEPROVISIONING', 25, task),
      ]),
    ).toEqual([[10, 15, 60]]);
  });

  it('have the times of EC2’s events where an answer of the API or a listing was published before', () => {
    const [asked, listed] = [{ seenBy: 'request' }, { seenBy: 'listing' }] as const;
    const events = [
      event('running', 0, listed),
      event('running', 4, { isCorrection: true }),
      event('stopping', 94, asked),
      event('stopping', 101, { isCorrection: true }),
      event('stopped', 120),
    ];

    const [row] = charged(events);
    expect([row?.interval.from, row?.interval.until]).toEqual([start + 4, start + 101]);
    expect(row && evidenceOf(row.interval)).toBe('events');
    expect(charged(events.toReversed())).toEqual(charged(events));
  });

  it('end in the second of the request where EC2’s own event of that end did not come', () => {
    const asked = event('stopping', 94, { seenBy: 'request' });

    expect(seconds([event('running', 0), asked])).toEqual([[0, 100, 100]]);
    expect(seconds([event('running', 0), asked, event('stopped', 99)])).toEqual([[0, 99, 99]]);
    const [row] = charged([event('running', 0), asked]);
    expect(row && evidenceOf(row.interval)).toBe('events/request');
  });

  it('are of a listing where no event says more, and an event of a later change moves nothing', () => {
    const listed = event('running', 0, { seenBy: 'listing' });
    const later = event('running', 3_600, { isCorrection: true });

    const [row] = charged([listed, later, event('stopped', 7_200, { seenBy: 'listing' })]);
    expect([row?.usedSeconds, row && evidenceOf(row.interval)]).toEqual([7_200, 'listing']);
  });

  it('of a task are its vCPU seconds and gigabyte seconds, with the minimum of a minute', () => {
    const task = { serviceType: 'container', resource: 'task/0123456789abcdef0123456789abcdef' } as const;
    const [row] = charged([
      event('PENDING', 0, task),
      event('RUNNING', 20, { ...task, size: '256/512' }),
      event('DEPROVISIONING', 60, task),
      event('STOPPED', 70, task),
    ]);

    expect(row && [row.usedSeconds, fargateSecondsOf(row)]).toEqual([40, { vcpuSeconds: 15, gbSeconds: 30 }]);
  });

  it('of a cluster are all seconds in which it exists', () => {
    const cluster = { serviceType: 'cluster', resource: 'eks/eu-west-1/kube-1' } as const;

    expect(
      seconds([
        event('CREATING', 0, cluster),
        event('ACTIVE', 600, cluster),
        event('DELETED', 4_000, cluster),
      ]),
    ).toEqual([[0, 4_000, 4_000]]);
  });
});
