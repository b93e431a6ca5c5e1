import * as z from 'zod';
import { type LocalServer, serve } from '../processes/loopback.ts';
import type { Callers } from './callers.ts';
import { JsonApiError, jsonApi } from './json-api.ts';

const GetServiceQuota = z.object({ ServiceCode: z.string(), QuotaCode: z.string() });

const onDemandVcpus = {
  ServiceCode: 'ec2',
  ServiceName: 'Amazon Elastic Compute Cloud (Amazon EC2)',
  QuotaCode: 'L-1216C47A',
  QuotaName: 'Running On-Demand Standard (A, C, D, H, I, M, R, T, Z) instances',
} as const;

type Options = {
  readonly port?: number;
  readonly callers?: Callers;
  /** Value of the only supported quota: the vCPUs of running on-demand instances. @default 256 */
  readonly vcpus?: number;
};

/** Service Quotas. @see https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/API_GetServiceQuota.html */
export const startServiceQuotas = ({ port, callers, vcpus = 256 }: Options = {}): Promise<LocalServer> => {
  const getServiceQuota = (input: unknown) => {
    const { ServiceCode, QuotaCode } = GetServiceQuota.parse(input);
    if (ServiceCode !== onDemandVcpus.ServiceCode || QuotaCode !== onDemandVcpus.QuotaCode) {
      throw new JsonApiError('NoSuchResourceException', `There is no quota ${QuotaCode} of ${ServiceCode}.`);
    }
    return { Quota: { ...onDemandVcpus, Value: vcpus, Unit: 'None', Adjustable: true, GlobalQuota: false } };
  };
  const operations = new Map([['GetServiceQuota', getServiceQuota]]);
  return serve(jsonApi(operations, { service: 'servicequotas', ...(callers && { callers }) }).fetch, port);
};
