import { describe, expect, it } from 'vitest';
import { withTimeout } from '../../../functions/provider-api/timeout.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';

describe('an answer with a timeout', () => {
  it('is passed on where it arrives in time', async () => {
    await expect(withTimeout(1_000, 'EC2', Promise.resolve('here'))).resolves.toBe('here');
  });

  it('rejects as the promise does', async () => {
    const refusal = new Error('no');

    await expect(withTimeout(1_000, 'EC2', Promise.reject(refusal))).rejects.toBe(refusal);
  });

  it('is an UnavailableError after the timeout (C 59)', async () => {
    const waited = withTimeout(5, 'EC2', new Promise(() => undefined));

    await expect(waited).rejects.toThrow(new UnavailableError('EC2 does not answer within 5 ms'));
  });
});
