import { describe, expect, it } from 'vitest';
import { quickRetries } from '../../../../shared/adapters/aws/quick-retries.ts';

const failure = (name: string) =>
  Object.assign(new Error(name), { name, $metadata: {}, cause: new Error(name) });
const throttled = { error: failure('RequestLimitExceeded'), errorType: 'THROTTLING' } as const;

/** The delays of all retries of a call that keeps failing. */
const delaysOf = async (attempts: number): Promise<number[]> => {
  const retries = quickRetries({ attempts });
  const delays: number[] = [];
  let token = await retries.acquireInitialRetryToken('');
  for (;;) {
    try {
      token = await retries.refreshRetryTokenForRetry(token, throttled);
    } catch {
      return delays;
    }
    expect(token.getRetryCount()).toBe(delays.length + 1);
    delays.push(token.getRetryDelay());
  }
};

describe('retries', () => {
  it('are as many as attempts are left', async () => {
    expect(await delaysOf(12)).toHaveLength(11);
    expect(await delaysOf(1)).toEqual([]);
  });

  it('wait a little longer each time, and never so long that all of them take 5 s together', async () => {
    for (let round = 0; round < 50; round += 1) {
      const delays = await delaysOf(12);

      for (const [n, delay] of delays.entries())
        expect(delay).toBeLessThanOrEqual(Math.min(500, 100 * 2 ** n));
      expect(delays.reduce((sum, delay) => sum + delay, 0)).toBeLessThan(5_000);
    }
  });

  it.each([
    ['SERVER_ERROR', 'InternalError'],
    ['TRANSIENT', 'TimeoutError'],
    ['THROTTLING', 'RequestLimitExceeded'],
  ] as const)('follow %s: %s', async (errorType, name) => {
    const retries = quickRetries({ attempts: 3 });
    const token = await retries.acquireInitialRetryToken('');

    const next = await retries.refreshRetryTokenForRetry(token, { error: failure(name), errorType });

    expect(next.getRetryCount()).toBe(1);
  });

  it.each([
    ['CLIENT_ERROR', 'InvalidParameterValue'],
    ['SERVER_ERROR', 'InsufficientInstanceCapacity'],
    ['TRANSIENT', 'InsufficientInstanceCapacity'],
  ] as const)('do not follow %s: %s, which would be the same again', async (errorType, name) => {
    const retries = quickRetries({ attempts: 3 });
    const token = await retries.acquireInitialRetryToken('');
    const error = failure(name);

    await expect(retries.refreshRetryTokenForRetry(token, { error, errorType })).rejects.toBe(error);
  });
});
