import { DescribeInstancesCommand, EC2Client, type Instance } from '@aws-sdk/client-ec2';
import {
  GetServiceQuotaCommand,
  ServiceQuotasClient,
  ServiceQuotasServiceException,
} from '@aws-sdk/client-service-quotas';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { PermissionDeniedError, UnavailableError } from '../../../../../shared/core/errors.ts';
import { awsVcpuQuota } from '../../../../../shared/service-types/vm/ec2/vcpu-quota.ts';
import { mockedClient } from '../../../../mocked-client.ts';

const ec2 = mockedClient(EC2Client);
const quotas = mockedClient(ServiceQuotasClient);
afterAll(() => {
  ec2.restore();
  quotas.restore();
});

const running = (InstanceType: string, CoreCount: number, more: Partial<Instance> = {}): Instance => ({
  InstanceType: InstanceType as NonNullable<Instance['InstanceType']>,
  CpuOptions: { CoreCount, ThreadsPerCore: 2 },
  ...more,
});

beforeEach(() => {
  ec2.reset();
  quotas.reset();
  quotas.on(GetServiceQuotaCommand, { QuotaCode: 'L-1216C47A' }).resolves({ Quota: { Value: 64 } });
  quotas.on(GetServiceQuotaCommand, { QuotaCode: 'L-34B43A08' }).resolves({ Quota: { Value: 32 } });
  ec2
    .on(DescribeInstancesCommand)
    .resolvesOnce({
      Reservations: [{ Instances: [running('t3.large', 1), running('m7i.xlarge', 2)] }, {}],
      NextToken: 'more',
    })
    .resolves({
      Reservations: [
        {
          Instances: [
            running('c7i.large', 1, { InstanceLifecycle: 'spot' }),
            running('g5.xlarge', 2),
            running('p5.48xlarge', 96),
            { InstanceType: 't3.micro' },
          ],
        },
      ],
    });
});

describe('the vCPU quota', () => {
  it('counts the running standard on-demand instances of all pages', async () => {
    expect(await awsVcpuQuota().quota({ region: 'us-east-1' }, 'on-demand')).toEqual({ limit: 64, used: 6 });
    expect(ec2.commandCalls(DescribeInstancesCommand)[0]?.args[0].input.Filters).toEqual([
      { Name: 'instance-state-name', Values: ['pending', 'running'] },
    ]);
  });

  it('is separate for spot instances', async () => {
    expect(await awsVcpuQuota().quota({ region: 'us-east-1' }, 'spot')).toEqual({ limit: 32, used: 2 });
  });

  it('fails where we may not read it', async () => {
    quotas.on(GetServiceQuotaCommand).rejects(
      new ServiceQuotasServiceException({
        name: 'AccessDeniedException',
        message: 'no',
        $fault: 'client',
        $metadata: {},
      }),
    );

    await expect(awsVcpuQuota().quota({ region: 'us-east-1' }, 'spot')).rejects.toThrow(
      PermissionDeniedError,
    );
  });

  it('fails where it has no value', async () => {
    quotas.on(GetServiceQuotaCommand).resolves({});

    await expect(awsVcpuQuota().quota({ region: 'us-east-1' }, 'spot')).rejects.toThrow(UnavailableError);
  });
});
