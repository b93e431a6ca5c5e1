import { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { describe, expect, it } from 'vitest';
import { clientConfig } from '../../../local/emulators/client-config.ts';
import { startServiceQuotas } from '../../../local/emulators/service-quotas.ts';

const quota = async (vcpus: number | undefined, ServiceCode: string, QuotaCode: string) => {
  await using part = await startServiceQuotas(vcpus === undefined ? {} : { vcpus });
  const client = new ServiceQuotasClient({ ...clientConfig(part.url), maxAttempts: 1 });
  try {
    return (await client.send(new GetServiceQuotaCommand({ ServiceCode, QuotaCode }))).Quota;
  } finally {
    client.destroy();
  }
};

describe('Service Quotas', () => {
  it.each([
    [undefined, 256],
    [32, 32],
  ])('with %s vCPUs asked for, allows %i of running on-demand instances', async (asked, Value) => {
    expect(await quota(asked, 'ec2', 'L-1216C47A')).toMatchObject({
      ServiceCode: 'ec2',
      QuotaCode: 'L-1216C47A',
      QuotaName: expect.stringContaining('On-Demand Standard'),
      Value,
    });
  });

  it.each([
    ['ec2', 'L-00000000'],
    ['lambda', 'L-1216C47A'],
  ])('knows no quota of %s called %s', async (service, code) => {
    await expect(quota(undefined, service, code)).rejects.toMatchObject({ name: 'NoSuchResourceException' });
  });
});
