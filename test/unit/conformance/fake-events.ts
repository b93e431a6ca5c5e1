import type { Received } from '../../../conformance/events.ts';

export type FakeEvents = {
  readonly received: readonly Received[];
  tell(id: string, status: string): void;
};

const outputs = {
  ip: [
    { address: '10.0.0.5', port: 22, scope: 'internal' },
    { address: '203.0.113.9', port: 22, scope: 'external' },
  ],
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
        data: {
          id,
          status,
          message: `it is ${status}`,
          ...(status === 'RUNNING' && { output_spec: outputs }),
        },
      };
      const headers = { 'nats-msg-id': event.id };
      received.push(...through({ subject: 'dcm.vm', payload: JSON.stringify(event), headers, at: now() }));
    },
  };
};
