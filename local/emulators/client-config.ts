/**
 * Configuration of an AWS SDK client for an emulator. No emulator checks signatures, but the access key says who calls (callers.ts).
 * @default the owner of this machine
 */
export const clientConfig = (endpoint: string, region = 'us-east-1', accessKeyId = 'local') => ({
  endpoint,
  region,
  credentials: { accessKeyId, secretAccessKey: 'local' },
});
