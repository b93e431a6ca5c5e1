import { describe, expect, it } from 'vitest';
import { queueDelay } from '../../../../functions/provider-api/health/check-health.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { heartbeatIn } from '../../../../shared/wire/heartbeat.ts';
import { memoryHeartbeats } from '../../../fakes/memory-heartbeats.ts';

/** A queue through which heartbeats go until it is stopped. */
const queue = () => {
  const heartbeats = memoryHeartbeats();
  const clock = { seconds: 1_790_000_000 };
  const sent: (number | undefined)[] = [];
  const state = { isStopped: false, takes: true };
  const delay = queueDelay({
    heartbeats,
    observations: {
      send: async (events) => {
        if (!state.takes) throw new UnavailableError('the observations queue did not take a batch');
        for (const event of events) sent.push(heartbeatIn(JSON.stringify(event)));
      },
    },
    homeRegion: 'eu-west-1',
    now: () => clock.seconds * 1000 + 999,
  });
  const settle = async () => {
    if (!state.isStopped) for (const at of sent) await heartbeats.processed(at ?? 0);
  };
  /** The delays that are found when asked every ten seconds for so long. */
  const askFor = async (seconds: number): Promise<number[]> => {
    const delays: number[] = [];
    for (const until = clock.seconds + seconds; clock.seconds < until; clock.seconds += 10) {
      delays.push(await delay());
      await settle();
    }
    return delays;
  };
  return { delay, askFor, clock, sent, state };
};

describe('the delay of the observations queue', () => {
  it('is nothing while heartbeats come through, and takes one a minute (X 24)', async () => {
    const { askFor, sent } = queue();

    const delays = await askFor(600);

    expect(new Set(delays)).toEqual(new Set([0]));
    expect(sent).toHaveLength(10);
  });

  it('is found to exceed five minutes at most 370 seconds after the normaliser stops (X 24)', async () => {
    const { askFor, clock, state } = queue();
    await askFor(60);
    const stoppedAt = clock.seconds;
    state.isStopped = true;

    const delays = await askFor(600);

    const found = delays.findIndex((seconds) => seconds > 300) * 10;
    expect(found).toBeGreaterThan(300);
    expect(found).toBeLessThanOrEqual(370);
    expect(delays.at(-1)).toBe(clock.seconds - 10 - stoppedAt);
  });

  it('is nothing again once a heartbeat comes through', async () => {
    const { askFor, state } = queue();
    state.isStopped = true;
    await askFor(600);

    state.isStopped = false;

    expect((await askFor(20)).at(-1)).toBe(0);
  });

  it('is not taken for long because nobody has asked for a day', async () => {
    const { askFor, clock } = queue();
    await askFor(60);
    clock.seconds += 86_400;

    expect(await askFor(120)).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('costs one message a minute, however many ask at once', async () => {
    const { delay, sent } = queue();

    await Promise.all(Array.from({ length: 50 }, () => delay()));

    expect(sent).toHaveLength(1);
  });

  it('is unknown where the queue takes nothing, and the next minute tries again', async () => {
    const { delay, askFor, clock, sent, state } = queue();
    state.takes = false;
    await expect(delay()).rejects.toThrow(UnavailableError);

    state.takes = true;
    clock.seconds += 60;
    const delays = await askFor(20);

    expect(sent).toEqual([clock.seconds - 20]);
    expect(delays.at(-1)).toBe(0);
  });
});
