/** The exports that we use of the SDK client of Service Quotas, so that the bundler can leave out the rest. */
export { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
