import { secondOfKey } from './status-key.ts';
import type { VmStatus } from './vm-status.ts';

/** A status that a VM came to have: DCM was told of it, is about to be, or was spared it because the next one followed at once. */
export type Past = {
  /** The status's key (domain/status-key.ts). */
  readonly key: string;
  /** Seconds since 1970, by the key. */
  readonly at: number;
  readonly status: VmStatus;
  readonly message: string;
};

/** So many of a VM's statuses are remembered. Those of a VM that is just being told of are forgotten when it has been. */
export const historyLength = 10;

export const pastOf = ({ key, status, message }: Omit<Past, 'at'>): Past => ({
  key,
  at: secondOfKey(key),
  status,
  message,
});

/** The keys of what is older than the ten newest. */
export const surplusOf = (history: readonly Past[]): string[] =>
  history.slice(0, -historyLength).map(({ key }) => key);
