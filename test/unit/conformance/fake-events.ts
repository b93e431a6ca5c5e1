import type { Received } from '../../conformance/events.ts';

export type FakeEvents = {
  readonly received: readonly Received[];
  tell(id: string, status: string): void;
};

/** Publishes status events as DCM wants them; `through` may change them on the way. */
export const fakeEvents = (
  through: (event: Received) => readonly Received[],
  now: () => number,
): FakeEvents => {
  const received: Received[] = [];
  let count = 0;
  return {
    received,
    tell(id, status) {
      count += 1;
      const event = {
        specversion: '1.0',
        id: `event-${count}`,
        source: 'dcm/providers/fake',
        type: 'dcm.status.vm',
        subject: 'dcm.vm',
        datacontenttype: 'application/json',
        time: new Date(now()).toISOString(),
        sequence: String(count),
        data: { id, status, message: `it is ${status}` },
      };
      const headers = { 'nats-msg-id': event.id };
      received.push(...through({ subject: 'dcm.vm', payload: JSON.stringify(event), headers, at: now() }));
    },
  };
};
