import { describe, expect, it } from 'vitest';
import { type DemoResource, statusErrors, type Transition } from '../../../../local/demo/check-statuses.ts';
import type { DemoInstance } from '../../../../local/demo/ec2-actions.ts';
import type { Consumed } from '../../../../local/emulators/dcm/status-history.ts';

const web: DemoInstance = { name: 'web-1', instanceId: 'i-1', dcmId: 'vm-1', reportedBy: 'events' };
const at = (atMs: number, state: Transition['state']): Transition => ({ instanceId: 'i-1', atMs, state });
const reported = (appliedAtMs: number, status: string, changes: Partial<Consumed> = {}): Consumed => ({
  position: appliedAtMs,
  id: 'vm-1',
  status,
  eventId: `i-1:${appliedAtMs}`,
  sequence: String(appliedAtMs).padStart(6, '0'),
  streamSeq: appliedAtMs,
  deliveries: 1,
  receivedAtMs: appliedAtMs,
  appliedAtMs,
  outcome: 'applied',
  ...changes,
});

const life = [at(10, 'pending'), at(20, 'running'), at(30, 'stopping'), at(40, 'stopped'), at(50, 'pending')];
const report = [
  reported(11, 'provisioning'),
  reported(21, 'running'),
  reported(31, 'stopping'),
  reported(41, 'stopped'),
  reported(51, 'provisioning'),
];

const errorsOf = (
  instances: readonly DemoInstance[],
  transitions: readonly Transition[],
  history: readonly Consumed[],
  resources: readonly DemoResource[] = [],
) => statusErrors({ instances, transitions, history, resources });

describe('the check of the demo', () => {
  it('finds no error where every transition was reported once and in order', () => {
    expect(errorsOf([web], life, report)).toEqual([]);
  });

  it('accepts that the first PROVISIONING is missing, since a VM may run before the provider knows it', () => {
    expect(errorsOf([web], life, report.slice(1))).toEqual([]);
  });

  it.each([
    {
      what: 'a status that is missing',
      history: report.toSpliced(2, 1),
      error: 'no status reported that web-1 is stopping',
    },
    {
      what: 'a later start that is missing',
      history: report.slice(0, 4),
      error: 'no status reported that web-1 is pending',
    },
    {
      what: 'an event that was published twice',
      history: [...report, reported(60, 'running', { eventId: 'i-1:51' })],
      error: 'the event i-1:51 was published twice',
    },
    {
      what: 'a VM that is not ours',
      history: [...report, reported(60, 'running', { id: 'vm-2' })],
      error: 'a status of vm-2 was reported, which is not ours',
    },
    {
      what: 'a wrong order',
      history: [...report, reported(60, 'stopped', { sequence: '000001' })],
      error: 'the statuses of web-1 were published out of order',
    },
  ])('finds $what', ({ history, error }) => {
    expect(errorsOf([web], life, history)).toEqual([error]);
  });

  it('does not accept a missing status because another one was slow', () => {
    const ongoing = [...life, at(80, 'running'), at(200, 'stopping')];
    const late = [
      ...report.slice(0, 4),
      reported(75, 'provisioning'),
      reported(81, 'running'),
      reported(290, 'stopping'),
    ];

    expect(errorsOf([web], ongoing, late)).toEqual([]);
    expect(errorsOf([web], ongoing, late.toSpliced(2, 1))).toEqual([
      'no status reported that web-1 is stopping',
    ]);
  });

  it('needs only the last status of a VM that only listings report', () => {
    const legacy: DemoInstance = { ...web, reportedBy: 'listings' };
    const ended = [...life, at(60, 'terminated')];

    expect(errorsOf([legacy], ended, [reported(70, 'deleted')])).toEqual([]);
    expect(errorsOf([legacy], ended, [reported(21, 'running')])).toEqual([
      'no status reported that web-1 is terminated',
    ]);
  });

  describe('of a container', () => {
    const shop = { name: 'shop-1', dcmId: 'shop', statuses: ['provisioning', 'running', 'deleted'] };
    const of = (...statuses: string[]) =>
      statuses.map((status, index) =>
        reported(index, status, { id: 'shop', eventId: `shop:${index}`, sequence: String(index) }),
      );

    it('accepts its statuses in their order, also where one is republished', () => {
      expect(errorsOf([], [], of('provisioning', 'running', 'running', 'deleted'), [shop])).toEqual([]);
    });

    it.each([
      { what: 'a status that is missing', statuses: ['provisioning', 'deleted'] },
      { what: 'a status that it must not have', statuses: ['provisioning', 'running', 'failed', 'deleted'] },
      {
        what: 'a status that comes again',
        statuses: ['provisioning', 'running', 'provisioning', 'running', 'deleted'],
      },
    ])('finds $what', ({ statuses }) => {
      expect(errorsOf([], [], of(...statuses), [shop])).toEqual([
        `the statuses of shop-1 were ${statuses.join(', ')}, not provisioning, running, deleted`,
      ]);
    });

    it('finds that none came', () => {
      expect(errorsOf([], [], [], [shop])).toEqual([
        'the statuses of shop-1 were none, not provisioning, running, deleted',
      ]);
    });
  });
});
