/** Configuration of an AWS SDK client for an emulator. The credentials are needed for signing; no emulator checks signatures. */
export const clientConfig = (endpoint: string, region = 'us-east-1') => ({
  endpoint,
  region,
  credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
});
