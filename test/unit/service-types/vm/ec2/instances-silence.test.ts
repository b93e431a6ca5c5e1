import { createServer } from 'node:http';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../../../../shared/core/errors.ts';
import { ec2Instances } from '../../../../../shared/service-types/vm/ec2/instances.ts';
import { loopback } from '../../../adapters/loopback.ts';

beforeEach(() => {
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIDEXAMPLE');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'secret');
});
afterEach(() => void vi.unstubAllEnvs());

describe('EC2 that does not answer', () => {
  it('is waited for as long as was asked, and no longer', async () => {
    await using silence = await loopback(createServer(() => {}));
    vi.stubEnv('AWS_ENDPOINT_URL_EC2', silence.url);
    const started = performance.now();

    const describing = ec2Instances().describe({ region: 'us-east-1' }, ['i-1234567890abcdef0'], 300);

    await expect(describing).rejects.toThrow(UnavailableError);
    await expect(describing).rejects.toThrow('1 instance within 300 ms');
    expect(performance.now() - started).toBeGreaterThanOrEqual(299);
  });
});
