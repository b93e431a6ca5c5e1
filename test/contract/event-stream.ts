import { describe, expect, it } from 'vitest';
import type { EventStream } from '../../shared/ports/event-stream.ts';
import { vmKind } from '../../shared/service-types/vm/kind.ts';
import type { CloudEventJson } from '../../shared/wire/cloudevents.ts';
import { statusEvent as vmStatusEvent } from '../../shared/wire/dcm-status.ts';
import { dcmId, observed } from '../fixtures/resource-messages.ts';
import { statusOf } from '../fixtures/statuses.ts';

/** The nth status event of a VM; `vm` tells one test's events from another's. */
export const statusEvent = (vm: number, n: number): CloudEventJson => {
  const instanceId = `i-${String(vm).padStart(17, '0')}`;
  const status = statusOf(observed(n % 2 ? 'running' : 'stopped', n, { resourceId: instanceId }));
  return vmStatusEvent(
    { kind: vmKind, dcmId, resourceId: instanceId, region: 'us-east-1' },
    status,
    'ec2-sp',
  );
};

/** What every EventStream is held to. `stored` answers what the stream holds, in its order. */
export const eventStreamContract = (
  name: string,
  make: () => Promise<{ stream: EventStream; stored: () => Promise<CloudEventJson[]> }>,
) => {
  describe(`event stream: ${name}`, () => {
    it('stores an event as it was given', async () => {
      const { stream, stored } = await make();
      await stream.ready();

      const appended = await stream.append(statusEvent(1, 1));

      expect(appended).toMatchObject({
        duplicate: false,
        seq: expect.any(Number),
        stream: expect.any(String),
      });
      expect((await stored()).at(-1)).toEqual(statusEvent(1, 1));
    });

    it('recognises an event it has seen', async () => {
      const { stream, stored } = await make();
      await stream.ready();
      const first = await stream.append(statusEvent(2, 1));
      const before = await stored();

      const again = await stream.append(statusEvent(2, 1));

      expect(again).toEqual({ ...first, duplicate: true });
      expect(await stored()).toEqual(before);
    });

    it('takes many events at once', async () => {
      const { stream } = await make();
      await stream.ready();

      const appended = await Promise.all(
        Array.from({ length: 300 }, (_, n) => stream.append(statusEvent(3, n))),
      );

      expect(new Set(appended.map(({ seq }) => seq)).size).toBe(300);
    });

    it('goes on after its connection was given up', async () => {
      const { stream } = await make();
      await stream.ready();
      await stream.append(statusEvent(4, 1));

      stream.abandon();
      await stream.ready();

      expect(await stream.append(statusEvent(4, 1))).toMatchObject({ duplicate: true });
    });
  });
};
