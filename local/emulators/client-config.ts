/** How an AWS SDK client reaches a local part: no part checks signatures, but the SDK insists on signing. */
export const clientConfig = (endpoint: string, region = 'us-east-1') => ({
  endpoint,
  region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
