import { describe, expect, it } from 'vitest';
import { withTimeout } from '../../../functions/provider-api/timeout.ts';
import { UnavailableError } from '../../../shared/core/errors.ts';

describe('what is waited for only so long', () => {
  it('is answered where it comes in time', async () => {
    await expect(withTimeout(1_000, 'EC2', Promise.resolve('here'))).resolves.toBe('here');
  });

  it('fails as it fails', async () => {
    const refusal = new Error('no');

    await expect(withTimeout(1_000, 'EC2', Promise.reject(refusal))).rejects.toBe(refusal);
  });

  it('is unavailable where it does not (C 59)', async () => {
    const waited = withTimeout(5, 'EC2', new Promise(() => undefined));

    await expect(waited).rejects.toThrow(new UnavailableError('EC2 does not answer within 5 ms'));
  });
});
