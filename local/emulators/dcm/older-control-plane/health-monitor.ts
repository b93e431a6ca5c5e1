import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../../shared/core/errors.ts';
import type { ProviderClient } from './provider-client.ts';
import type { Registry } from './providers.ts';

type Parts = {
  readonly registry: Pick<Registry, 'due' | 'judged'>;
  readonly client: Pick<ProviderClient, 'health'>;
  readonly pace: Pace;
  readonly log: (line: string) => void;
};

/** One round of DCM's health monitor: every provider that is due, one after the other. */
const checkProviders = async ({ registry, client, pace, log }: Parts): Promise<void> => {
  for (const { id, name, endpoint, ...before } of await registry.due(new Date())) {
    const atMs = Date.now();
    const after = judge(before, await client.health(endpoint), pace);
    await registry.judged(id, after, new Date(atMs + after.againInMs));
    if (after.status !== before.status) log(`control plane: provider ${name} is ${after.status}`);
  }
};

/**
 * Checks at once, and from then on at every interval. Disposing waits for a check that is under way.
 * @see https://github.com/dcm-project/control-plane (internal/sp/healthcheck/monitor.go)
 */
export const startHealthMonitor = (parts: Parts): AsyncDisposable => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = (async () => {
    while (!signal.aborted) {
      await checkProviders(parts).catch((error) => parts.log(`control plane: ${reasonOf(error)}`));
      await sleep(parts.pace.intervalMs, undefined, { signal }).catch(() => {});
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await rounds;
    },
  };
};

/** What DCM makes of a provider: only to one that is `ready` creates are dispatched. */
export type Health = {
  readonly status: 'ready' | 'unhealthy' | 'unavailable';
  /** Checks in a row that did not bring a health answer. */
  readonly failures: number;
};

/** What a health check brought: the provider's own word, or nothing that counts as one. */
export type HealthAnswer = 'healthy' | 'unhealthy' | 'failed';

export type Pace = {
  /** From one check to the next, and of the first back-off, in milliseconds. */
  readonly intervalMs: number;
  /** Failures in a row that make a provider unavailable. */
  readonly threshold: number;
  readonly longestMs: number;
};
export const defaultPace: Pace = { intervalMs: 10_000, threshold: 3, longestMs: 300_000 };

/** The state machine of DCM's health monitor, and when to ask again. One healthy answer makes a provider ready from anywhere. */
export const judge = (
  health: Health,
  answer: HealthAnswer,
  { intervalMs, threshold, longestMs }: Pace,
): Health & { readonly againInMs: number } => {
  if (answer === 'healthy') return { status: 'ready', failures: 0, againInMs: intervalMs };
  if (answer === 'unhealthy') return { status: 'unhealthy', failures: 0, againInMs: intervalMs };
  const failures = health.failures + 1;
  const status = failures >= threshold ? 'unavailable' : health.status;
  if (status !== 'unavailable') return { status, failures, againInMs: intervalMs };
  const doublings = Math.min(Math.max(failures - threshold, 0), 10);
  return { status, failures, againInMs: Math.min(intervalMs * 2 ** doublings, longestMs) };
};
