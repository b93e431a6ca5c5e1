import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packed, unpacked } from '../../../../shared/adapters/dynamodb/resource-store.ts';
import { UnreadableError } from '../../../../shared/core/errors.ts';
import { pastStatusOf } from '../../../../shared/core/history.ts';
import { InstanceState, VmStatus, vmKind } from '../../../../shared/service-types/vm/kind.ts';
import { halfPastTen, observed, resourceId } from '../../../fixtures/resource-messages.ts';
import { statusOf } from '../../../fixtures/statuses.ts';

const messages = fc.oneof(
  fc.string(),
  fc.string().map((rest) => `instance ${resourceId} is running${rest}`),
  fc.constantFrom('\n', 'RUNNING', `instance ${resourceId} is running\nin two lines`),
);

describe('a past status in the item', () => {
  it('comes back as it was, whatever it says', () => {
    const past = fc.record({
      state: fc.constantFrom(...InstanceState.options),
      second: fc.option(fc.nat(1_000)),
      status: fc.constantFrom(...VmStatus.options),
      message: messages,
    });
    fc.assert(
      fc.property(past, ({ state, second, status, message }) => {
        const { key } = statusOf(observed(state));
        const one = pastStatusOf({
          key: second === null ? key : `${key}-${halfPastTen + second}-impaired`,
          status,
          message,
        });

        expect(unpacked(vmKind, { resourceId, key: one.key, text: packed(vmKind, resourceId, one) })).toEqual(
          one,
        );
      }),
      { numRuns: 500 },
    );
  });

  it.each([
    ['RUNNING', observed('running')],
    ['STOPPED: Server.ScheduledStop', observed('stopped', 0, { reason: { code: 'Server.ScheduledStop' } })],
    ['DELETED (reason unavailable)', observed('terminated')],
  ])('says %s, and not what the key and the instance say', (text, observation) => {
    expect(packed(vmKind, resourceId, pastStatusOf(statusOf(observation)))).toBe(text);
  });

  it('is refused, with the instance named, where we did not write it', () => {
    expect(() => unpacked(vmKind, { resourceId, key: '17873946001', text: 'BUSY' })).toThrow(UnreadableError);
    expect(() => unpacked(vmKind, { resourceId, key: '17873946001', text: 'BUSY' })).toThrow(resourceId);
  });
});
