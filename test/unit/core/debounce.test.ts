import { describe, expect, it } from 'vitest';
import { pastStatusOf } from '../../../shared/core/history.ts';
import { defaultBurst, releaseOf } from '../../../shared/core/outbox.ts';
import * as domain from '../../../shared/core/resource.ts';
import { changeOf, endOf, flappingResources } from '../../fixtures/flapping.ts';
import { halfPastTen } from '../../fixtures/resource-messages.ts';
import { fixedPart } from '../../fixtures/statuses.ts';

const addresses = { privateAddress: '10.0.0.4' };
const nowMs = (halfPastTen + 3600) * 1000;

describe.each(flappingResources)('debounce of a $kind.serviceType', (about) => {
  const { kind } = about;
  /** The nth change of a resource, so many seconds after half past ten. */
  const change = (n: number, seconds = n) => domain.statusOf(kind, changeOf(about, n, seconds), fixedPart);
  const changes = (count: number) => Array.from({ length: count }, (_, n) => change(n));

  /** What becomes of an outbox, by the place of its statuses among all that the VM had; `told` of them were told before. */
  const release = (
    all: readonly domain.UnpublishedStatus[],
    { told = 0, settled }: { told?: number; settled?: number } = {},
  ) => {
    const {
      publish: tell,
      superseded: drop,
      heldBack: hold,
    } = releaseOf(
      { kind, ...addresses, history: all.map(pastStatusOf), outbox: all.slice(told) },
      { burst: defaultBurst, nowMs, settled: settled === undefined ? undefined : all[settled]?.key },
    );
    const places = (some: readonly domain.UnpublishedStatus[]) => some.map((status) => all.indexOf(status));
    return { tell: places(tell), drop: places(drop), hold: places(hold) };
  };

  it('has nothing to do with an empty outbox', () => {
    expect(release(changes(6), { told: 6 })).toEqual({ tell: [], drop: [], hold: [] });
  });

  it('lets the first four changes of ten seconds be told at once', () => {
    expect(release(changes(4))).toEqual({ tell: [0, 1, 2, 3], drop: [], hold: [] });
  });

  it('holds back what comes on top', () => {
    expect(release(changes(6))).toEqual({ tell: [0, 1, 2, 3], drop: [], hold: [4, 5] });
    expect(release(changes(6), { told: 4 })).toEqual({ tell: [], drop: [], hold: [4, 5] });
  });

  it('counts what was told, and what was not, in the last ten seconds only', () => {
    const slow = [0, 3, 6, 9, 10, 14].map((seconds, n) => change(n, seconds));

    expect(release(slow, { told: 4 }).tell).toEqual([4, 5]);
  });

  it('has only the newest told once it has settled', () => {
    expect(release(changes(8), { told: 4, settled: 4 })).toEqual({ tell: [7], drop: [4, 5, 6], hold: [] });
  });

  it('has what is unpublished from before told first', () => {
    expect(release(changes(8), { told: 2, settled: 4 })).toEqual({
      tell: [2, 3, 7],
      drop: [4, 5, 6],
      hold: [],
    });
  });

  it('goes on holding back what came after what has settled', () => {
    expect(release(changes(8), { told: 6, settled: 4 })).toEqual({ tell: [], drop: [], hold: [6, 7] });
  });

  it('forgets what was held back when something newer may be told', () => {
    const calmer = [...changes(6), change(6, 30)];

    expect(release(calmer, { told: 4 })).toEqual({ tell: [6], drop: [4, 5], hold: [] });
  });

  it('never holds back an end', () => {
    const ended = [...changes(7), domain.statusOf(kind, endOf(about, 7), fixedPart)];

    expect(release(ended, { told: 4 })).toEqual({ tell: [7], drop: [4, 5, 6], hold: [] });
  });

  it('decides the same where older history is forgotten but not what is still unpublished', () => {
    const all = changes(14);
    const { publish: tell, heldBack: hold } = releaseOf(
      { kind, ...addresses, history: all.slice(4).map(pastStatusOf), outbox: all.slice(9) },
      { burst: defaultBurst, nowMs },
    );

    expect([tell, hold]).toEqual([[], all.slice(9)]);
  });
});
