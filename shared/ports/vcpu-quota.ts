/** The account's quota of vCPUs for standard instances of one region and market, in vCPUs. */
export type VcpuQuota = {
  /** @throws ProviderError where it cannot be known, most often for want of permission. */
  quota(
    region: string,
    market: 'on-demand' | 'spot',
  ): Promise<{ readonly limit: number; readonly used: number }>;
};
