import { afterAll, describe, expect, it, vi } from 'vitest';

vi.stubEnv('POWERTOOLS_DEV', 'true'); // metrics are written by the console, which a test can read
vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false'); // which that mode would disable
vi.stubEnv('POWERTOOLS_SERVICE_NAME', 'normaliser');
vi.stubEnv('POWERTOOLS_METRICS_NAMESPACE', 'DcmEc2ServiceProvider');
const { meter } = await import('../../../shared/runtime/telemetry.ts');
afterAll(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('the age of the canary', () => {
  it('is a metric in milliseconds with the dimensions that its alarm watches', () => {
    const written: string[] = [];
    vi.spyOn(console, 'log').mockImplementation((line: string) => void written.push(line));

    meter.canaryAge('ec2-sp', 840);

    expect(written.map((line) => JSON.parse(line))).toEqual([
      expect.objectContaining({
        _aws: expect.objectContaining({
          CloudWatchMetrics: [
            {
              Namespace: 'DcmEc2ServiceProvider',
              Dimensions: [expect.arrayContaining(['service', 'provider'])],
              Metrics: [{ Name: 'canaryAgeMs', Unit: 'Milliseconds' }],
            },
          ],
        }),
        ...{ service: 'normaliser', provider: 'ec2-sp', canaryAgeMs: 840 },
      }),
    ]);
  });
});
