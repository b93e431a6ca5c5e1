import { describe, expect, it } from 'vitest';
import { faultsIn, type Transition } from '../../../../local/demo/check-statuses.ts';
import type { Actor } from '../../../../local/demo/ec2-actions.ts';
import type { Consumed } from '../../../../local/emulators/dcm/status-history.ts';

const web: Actor = { name: 'web-1', instanceId: 'i-1', dcmId: 'vm-1', seenBy: 'events' };
const at = (atMs: number, state: Transition['state']): Transition => ({ instanceId: 'i-1', atMs, state });
const told = (appliedAtMs: number, status: string, changes: Partial<Consumed> = {}): Consumed => ({
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
  told(11, 'provisioning'),
  told(21, 'running'),
  told(31, 'stopping'),
  told(41, 'stopped'),
  told(51, 'provisioning'),
];

describe('the demo’s verdict', () => {
  it('finds nothing wrong where every transition was told once and in order', () => {
    expect(faultsIn([web], life, report)).toEqual([]);
  });

  it.each([
    {
      what: 'a first status that is missing',
      history: report.slice(1),
      fault: 'DCM was not told that web-1 is pending',
    },
    {
      what: 'a status that is missing',
      history: report.toSpliced(2, 1),
      fault: 'DCM was not told that web-1 is stopping',
    },
    {
      what: 'a later start that is missing',
      history: report.slice(0, 4),
      fault: 'DCM was not told that web-1 is pending',
    },
    {
      what: 'an event told twice',
      history: [...report, told(60, 'running', { eventId: 'i-1:51' })],
      fault: 'DCM was told i-1:51 twice',
    },
    {
      what: 'a VM that is not ours',
      history: [...report, told(60, 'running', { id: 'vm-2' })],
      fault: 'DCM was told of vm-2, which is not ours',
    },
    {
      what: 'an order that is wrong',
      history: [...report, told(60, 'stopped', { sequence: '000001' })],
      fault: 'DCM was told of web-1 out of order',
    },
  ])('finds $what', ({ history, fault }) => {
    expect(faultsIn([web], life, history)).toEqual([fault]);
  });

  it('excuses no missing status by one that was slow', () => {
    const ongoing = [...life, at(80, 'running'), at(200, 'stopping')];
    const late = [
      ...report.slice(0, 4),
      told(75, 'provisioning'),
      told(81, 'running'),
      told(290, 'stopping'),
    ];

    expect(faultsIn([web], ongoing, late)).toEqual([]);
    expect(faultsIn([web], ongoing, late.toSpliced(2, 1))).toEqual([
      'DCM was not told that web-1 is stopping',
    ]);
  });

  it('asks of what only listings show no more than how it ended', () => {
    const legacy: Actor = { ...web, seenBy: 'listings' };
    const ended = [...life, at(60, 'terminated')];

    expect(faultsIn([legacy], ended, [told(70, 'deleted')])).toEqual([]);
    expect(faultsIn([legacy], ended, [told(21, 'running')])).toEqual([
      'DCM was not told that web-1 is terminated',
    ]);
  });
});
