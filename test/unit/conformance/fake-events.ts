import type { Received } from '../../../conformance/events.ts';
import type { FakeKind } from './fake-kinds.ts';

export type FakeEvents = {
  readonly received: readonly Received[];
  tell(id: string, status: string): void;
};

/** Publishes status events as DCM wants them; `through` may change them on the way. */
export const fakeEvents = (
  through: (event: Received) => readonly Received[],
  now: () => number,
  { serviceType, outputs }: Pick<FakeKind, 'serviceType' | 'outputs'>,
): FakeEvents => {
  const received: Received[] = [];
  const subject = `dcm.${serviceType}`;
  let count = 0;
  return {
    received,
    tell(id, status) {
      count += 1;
      const event = {
        specversion: '1.0',
        id: `event-${count}`,
        source: 'dcm/providers/fake',
        type: `dcm.status.${serviceType}`,
        subject,
        datacontenttype: 'application/json',
        time: new Date(now()).toISOString(),
        sequence: String(count),
        data: {
          id,
          status,
          message: `it is ${status}`,
          ...(['RUNNING', 'ACTIVE'].includes(status) && { output_spec: outputs }),
        },
      };
      const headers = { 'nats-msg-id': event.id };
      received.push(...through({ subject, payload: JSON.stringify(event), headers, at: now() }));
    },
  };
};
