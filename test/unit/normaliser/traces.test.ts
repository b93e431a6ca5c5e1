import { describe, expect, it } from 'vitest';
import type { Log } from '../../../shared/ports/telemetry.ts';
import { observed, spotWarning } from '../../fixtures/resource-messages.ts';
import { awsAccount, vm } from './account.ts';

/** A normaliser, and the fields of its log lines about recorded statuses. */
const told = async () => {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const ignore = () => undefined;
  const log: Log = {
    info: (message, fields = {}) => {
      if (message === 'a status was recorded') lines.push(fields);
    },
    ...{ warn: ignore, error: ignore },
  };
  const account = awsAccount();
  await account.resourceStore.claim(vm);
  return { ...account, deliver: account.worker({ log }), lines };
};

const traceIdIn = ({ traceparent }: Readonly<Record<string, unknown>>) => String(traceparent).split('-')[1];

describe('the log line of a recorded status', () => {
  it('joins the event of AWS, the request, the trace and the CloudEvent', async () => {
    const { deliver, stream, lines } = await told();

    await deliver([observed('running', 0, { eventId: 'event-1', requestId: 'request-1' })]);

    const [event] = stream.stored;
    expect(event).toMatchObject({ requestid: 'request-1' });
    expect(lines).toEqual([
      {
        ...{ id: event?.id, traceId: traceIdIn(event ?? {}) },
        ...{ status: 'RUNNING', resourceId: vm.resourceId, dcmId: vm.dcmId },
        ...{ eventId: 'event-1', requestId: 'request-1' },
      },
    ]);
  });

  it('is written once, however often the event comes', async () => {
    const { deliver, lines } = await told();

    for (const delivery of [1, 2, 3]) await deliver([observed('running')], delivery);

    expect(lines).toHaveLength(1);
  });

  it('has the trace of the state that a warning is about', async () => {
    const { deliver, stream, lines } = await told();

    await deliver([observed('running'), spotWarning(60, { eventId: 'event-2' })]);

    const [running, warned] = stream.stored.map(traceIdIn);
    expect(warned).toBe(running);
    expect(lines.map(({ traceId }) => traceId)).toEqual([running, warned]);
    expect(lines.map(({ eventId }) => eventId)).toEqual([undefined, 'event-2']);
  });
});
