import { secondOfKey } from './gate.ts';

/** A status that a resource had: published, about to be, or superseded by the next one. */
export type PastStatus = {
  /** The status's key (core/gate.ts). */
  readonly key: string;
  /** Seconds since 1970, from the key. */
  readonly at: number;
  readonly status: string;
  readonly message: string;
};

/** How many statuses of a resource are kept; more only until its unpublished ones are settled. */
export const historyLength = 10;

export const pastStatusOf = ({ key, status, message }: Omit<PastStatus, 'at'>): PastStatus => ({
  key,
  at: secondOfKey(key),
  status,
  message,
});

/**
 * The keys that can be removed from the history where these statuses are unpublished: not the ten newest, nor the unpublished ones, nor the
 * ten before each of those, which the debounce needs (core/outbox.ts).
 */
export const surplusOf = (history: readonly PastStatus[], unpublished: readonly string[]): string[] => {
  const kept = new Set(history.slice(-historyLength));
  for (const key of unpublished) {
    const newer = history.findIndex((past) => past.key > key);
    const end = newer === -1 ? history.length : newer;
    for (const past of history.slice(Math.max(0, end - 1 - historyLength), end)) kept.add(past);
  }
  return history.filter((past) => !kept.has(past)).map(({ key }) => key);
};
