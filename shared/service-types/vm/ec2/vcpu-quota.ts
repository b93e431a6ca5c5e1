import type { Instance, Reservation } from '@aws-sdk/client-ec2';
import type { AwsAccounts } from '../../../adapters/aws/accounts.ts';
import { callsByTarget } from '../../../adapters/aws/calls.ts';
import { UnavailableError } from '../../../core/errors.ts';
import type { Target } from '../../../core/target.ts';
import type { VcpuQuota } from '../ports.ts';
import { isStandard } from '../provisioning.ts';
import { type Ec2Calls, ec2Calls } from './calls.ts';

/**
 * "Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances" and the same for spot.
 * @see https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-quotas.html
 */
const quotaCodes = { 'on-demand': 'L-1216C47A', spot: 'L-34B43A08' } as const;

/** The limit comes from Service Quotas, the usage from EC2's running instances. */
export const awsVcpuQuota = (accounts?: AwsAccounts, ec2: Ec2Calls = ec2Calls(accounts)): VcpuQuota => {
  const quotas = callsByTarget({
    name: 'Service Quotas',
    load: () => import('../../../adapters/aws/service-quotas-sdk.ts'),
    connect: ({ ServiceQuotasClient }, connection) => new ServiceQuotasClient(connection),
    timeoutMs: 2_000, // the comparison is optional
    accounts,
  });

  const limitOf = (target: Target, QuotaCode: string): Promise<number | undefined> =>
    quotas(target, `get quota ${QuotaCode}`, async (sdk, client, options) => {
      const command = new sdk.GetServiceQuotaCommand({ ServiceCode: 'ec2', QuotaCode });
      const { Quota } = await client.send(command, options);
      return Quota?.Value;
    });

  const usedOf = (target: Target, spot: boolean): Promise<number> =>
    ec2(target, 'describe running instances', async (sdk, client, options) => {
      const Filters = [{ Name: 'instance-state-name', Values: ['pending', 'running'] }];
      const pages = sdk.paginateDescribeInstances({ client, pageSize: 1000 }, { Filters }, options);
      let used = 0;
      for await (const { Reservations = [] } of pages) used += vcpusIn(Reservations, spot);
      return used;
    });

  return {
    quota: async (target, market) => {
      const code = quotaCodes[market];
      const [limit, used] = await Promise.all([limitOf(target, code), usedOf(target, market === 'spot')]);
      if (limit === undefined)
        throw new UnavailableError(`Service Quotas in ${target.region} has no value for ${code}`);
      return { limit, used };
    },
  };
};

const vcpusIn = (reservations: readonly Reservation[], spot: boolean): number =>
  reservations
    .flatMap(({ Instances = [] }) => Instances)
    .filter((instance) => isCounted(instance, spot))
    .reduce((sum, instance) => sum + vcpusOf(instance), 0);

const isCounted = ({ InstanceType, InstanceLifecycle }: Instance, spot: boolean): boolean =>
  isStandard(InstanceType ?? '') && (InstanceLifecycle === 'spot') === spot;

const vcpusOf = ({ CpuOptions: { CoreCount = 0, ThreadsPerCore = 0 } = {} }: Instance): number =>
  CoreCount * ThreadsPerCore;
