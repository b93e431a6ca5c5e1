import { describe, expect, it } from 'vitest';
import { pastStatusOf } from '../../../shared/core/history.ts';
import { supersededKeys } from '../../../shared/core/outbox.ts';
import { vmKind } from '../../../shared/service-types/vm/kind.ts';
import { observed, wholeLife } from '../../fixtures/resource-messages.ts';
import { statusOf } from '../../fixtures/statuses.ts';

const statuses = (count: number, text = '') =>
  Array.from({ length: count }, (_, n) => ({
    ...statusOf(observed(wholeLife[n % 4] ?? 'pending', n * 60)),
    ...(text && { message: text }),
  }));
const superseded = (outbox: ReturnType<typeof statuses>) =>
  supersededKeys({ kind: vmKind, outbox, history: outbox.map(pastStatusOf) });

describe('the unpublished statuses of one VM', () => {
  it('are all kept up to three hundred', () => {
    expect(superseded(statuses(300))).toEqual([]);
  });

  it('are superseded beyond, but for the first and the newest hundred', () => {
    const outbox = statuses(301);

    expect(superseded(outbox)).toEqual(outbox.slice(1, -100).map(({ key }) => key));
  });

  it('are never superseded where they are an end; repeats of one are', () => {
    const outbox = statuses(301);
    const end = statusOf(observed('terminated', 10 * 60));
    const repeat = { ...end, key: `${end.key}-${end.at + 5}-again` };

    const keys = superseded([...outbox.slice(0, 10), end, repeat, ...outbox.slice(11)]);

    expect(keys).not.toContain(end.key);
    expect(keys).toContain(repeat.key);
  });

  it('are superseded earlier where their messages are long, for an item has at most 400 KB', () => {
    expect(superseded(statuses(150, 'a'.repeat(1024)))).toHaveLength(49);
    expect(superseded(statuses(100, 'a'.repeat(1024)))).toEqual([]);
  });
});
