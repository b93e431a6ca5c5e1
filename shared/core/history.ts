import { secondOfKey } from './gate.ts';

/** A status that a resource came to have: published, about to be, or superseded because the next one followed at once. */
export type PastStatus = {
  /** The status's key (core/gate.ts). */
  readonly key: string;
  /** Seconds since 1970, by the key. */
  readonly at: number;
  readonly status: string;
  readonly message: string;
};

/** How many statuses of a resource are kept. More are kept only until what is unpublished is settled. */
export const historyLength = 10;

export const pastStatusOf = ({ key, status, message }: Omit<PastStatus, 'at'>): PastStatus => ({
  key,
  at: secondOfKey(key),
  status,
  message,
});

/**
 * The keys of what need not be remembered once these statuses are all that is unpublished: neither among the ten newest, nor one of them,
 * nor among the ten before one of them, by which the debounce decides (core/outbox.ts).
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
