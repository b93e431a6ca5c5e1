import { describe, expect, it } from 'vitest';
import { newStatusFilter } from '../../../local/console.ts';
import type { Consumed } from '../../../local/emulators/dcm/status-history.ts';

const event = (changes: Partial<Consumed>): Consumed => ({
  ...{ position: 1, streamSeq: 1, deliveries: 1, receivedAtMs: 0, appliedAtMs: 0 },
  ...{ id: 'vm-1', status: 'running', message: 'instance is running', outcome: 'applied', ...changes },
});

describe('what npm start shows', () => {
  it('is each status of a VM once, also where it is published again', () => {
    const isNewStatus = newStatusFilter();

    expect([event({}), event({ eventId: 'again' }), event({ id: 'vm-2' })].map(isNewStatus)).toEqual([
      true,
      false,
      true,
    ]);
  });

  it('is a status that a VM comes back to, and one with another message', () => {
    const isNewStatus = newStatusFilter();
    const events = [event({}), event({ status: 'stopped' }), event({}), event({ message: 'a warning' })];

    expect(events.map(isNewStatus)).toEqual([true, true, true, true]);
  });

  it('is how a VM ends whose row DCM has removed, but not what was never DCM’s', () => {
    const isNewStatus = newStatusFilter();
    const deleting = { status: 'deleting', outcome: 'skipped' } as const;

    expect([event({}), event(deleting), event({ ...deleting, id: 'vm-9' })].map(isNewStatus)).toEqual([
      true,
      true,
      false,
    ]);
  });

  it('is nothing that could not be read or stored', () => {
    const isNewStatus = newStatusFilter();

    expect([event({ outcome: 'dropped' }), event({ outcome: 'nak' })].map(isNewStatus)).toEqual([
      false,
      false,
    ]);
  });
});
