import { setTimeout as sleep } from 'node:timers/promises';
import { reasonOf } from '../../../../shared/core/errors.ts';
import type { ProviderClient } from './provider-client.ts';
import { judge, type Pace } from './providers/health.ts';
import type { Registry } from './providers/registry.ts';

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
