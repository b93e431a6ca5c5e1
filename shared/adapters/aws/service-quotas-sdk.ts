/** What is used of the SDK client of Service Quotas: a bundler leaves out the rest of it. */
export { GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
