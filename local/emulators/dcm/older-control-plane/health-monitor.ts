import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../../shared/core/errors.ts';
import type { ProviderClient } from './provider-client.ts';
import type { Registry } from './providers.ts';

type Parts = {
  readonly registry: Pick<Registry, 'due' | 'recordHealth'>;
  readonly client: Pick<ProviderClient, 'health'>;
  readonly pace: Pace;
  readonly log: (line: string) => void;
};

/** One round of DCM's health monitor: checks every provider that is due, one after the other. */
const checkProviders = async ({ registry, client, pace, log }: Parts): Promise<void> => {
  for (const { id, name, endpoint, ...before } of await registry.due(new Date())) {
    const atMs = Date.now();
    const after = nextHealth(before, await client.health(endpoint), pace);
    await registry.recordHealth(id, after, new Date(atMs + after.nextCheckInMs));
    if (after.status !== before.status) log(`provider ${name} is ${after.status}`);
  }
};

/**
 * Checks the providers at once, and then at the interval. Disposing waits for a check that is under way.
 * @see https://github.com/dcm-project/control-plane (internal/sp/healthcheck/monitor.go)
 */
export const startHealthMonitor = (parts: Parts): AsyncDisposable => {
  const stopping = new AbortController();
  const { signal } = stopping;
  const rounds = (async () => {
    while (!signal.aborted) {
      await checkProviders(parts).catch((error) => parts.log(`health monitor: ${reasonOf(error)}`));
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

/** A provider's health in DCM. Creates are dispatched only to a provider that is `ready`. */
export type Health = {
  readonly status: 'ready' | 'unhealthy' | 'unavailable';
  /** Consecutive checks without a valid answer. */
  readonly failures: number;
};

/** Result of a health check: the provider's answer, or `failed` where the answer is missing or invalid. */
export type HealthAnswer = 'healthy' | 'unhealthy' | 'failed';

export type Pace = {
  /** Pause between two checks, and the first back-off, in milliseconds. */
  readonly intervalMs: number;
  /** Consecutive failures that make a provider unavailable. */
  readonly threshold: number;
  readonly maximumMs: number;
};
export const defaultPace: Pace = { intervalMs: 10_000, threshold: 3, maximumMs: 300_000 };

/** A provider's health after a check, and when the next check is due. One healthy answer makes a provider ready, whatever it was before. */
export const nextHealth = (
  health: Health,
  answer: HealthAnswer,
  { intervalMs, threshold, maximumMs }: Pace,
): Health & { readonly nextCheckInMs: number } => {
  if (answer === 'healthy') return { status: 'ready', failures: 0, nextCheckInMs: intervalMs };
  if (answer === 'unhealthy') return { status: 'unhealthy', failures: 0, nextCheckInMs: intervalMs };
  const failures = health.failures + 1;
  const status = failures >= threshold ? 'unavailable' : health.status;
  if (status !== 'unavailable') return { status, failures, nextCheckInMs: intervalMs };
  const doublings = Math.min(Math.max(failures - threshold, 0), 10);
  return { status, failures, nextCheckInMs: Math.min(intervalMs * 2 ** doublings, maximumMs) };
};
