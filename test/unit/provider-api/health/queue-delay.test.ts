import { describe, expect, it } from 'vitest';
import { queueDelay } from '../../../../functions/provider-api/health/check-health.ts';
import { UnavailableError } from '../../../../shared/core/errors.ts';
import { heartbeatIn } from '../../../../shared/wire/heartbeat.ts';
import { memoryHeartbeats } from '../../../fakes/memory-heartbeats.ts';

/** A queue whose heartbeats are processed until it is stopped. */
const queue = () => {
  const heartbeats = memoryHeartbeats();
  const clock = { seconds: 1_790_000_000 };
  const sent: (number | undefined)[] = [];
  const state = { isStopped: false, accepts: true };
  const delay = queueDelay({
    heartbeats,
    observations: {
      send: async (events) => {
        if (!state.accepts) throw new UnavailableError('the observations queue did not take a batch');
        for (const event of events) sent.push(heartbeatIn(JSON.stringify(event)));
      },
    },
    homeRegion: 'eu-west-1',
    now: () => clock.seconds * 1000 + 999,
  });
  const settle = async () => {
    if (!state.isStopped) for (const at of sent) await heartbeats.processed(at ?? 0);
  };
  /** The delays of checks every ten seconds for this long. */
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
  it('is 0 while heartbeats are processed, at one heartbeat a minute (X 24)', async () => {
    const { askFor, sent } = queue();

    const delays = await askFor(600);

    expect(new Set(delays)).toEqual(new Set([0]));
    expect(sent).toHaveLength(10);
  });

  it('exceeds five minutes at most 370 seconds after the normaliser stops (X 24)', async () => {
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

  it('is 0 again once a heartbeat is processed', async () => {
    const { askFor, state } = queue();
    state.isStopped = true;
    await askFor(600);

    state.isStopped = false;

    expect((await askFor(20)).at(-1)).toBe(0);
  });

  it('is 0 after a day without a check', async () => {
    const { askFor, clock } = queue();
    await askFor(60);
    clock.seconds += 86_400;

    expect(await askFor(120)).toEqual(Array.from({ length: 12 }, () => 0));
  });

  it('costs one message a minute, however many checks run at once', async () => {
    const { delay, sent } = queue();

    await Promise.all(Array.from({ length: 50 }, () => delay()));

    expect(sent).toHaveLength(1);
  });

  it('is unknown when the queue does not accept the heartbeat; the next minute tries again', async () => {
    const { delay, askFor, clock, sent, state } = queue();
    state.accepts = false;
    await expect(delay()).rejects.toThrow(UnavailableError);

    state.accepts = true;
    clock.seconds += 60;
    const delays = await askFor(20);

    expect(sent).toEqual([clock.seconds - 20]);
    expect(delays.at(-1)).toBe(0);
  });
});
