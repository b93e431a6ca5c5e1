import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { providerRequest } from '../provider-request.ts';
import type { Provider } from './providers.ts';

/** Ready: requests are forwarded. Unhealthy: they are moved to the retry stream. Unavailable: they are refused, and the agent no longer registers the type. */
export type ProviderStatus = 'Ready' | 'Unhealthy' | 'Unavailable';

export type Transition = {
  readonly provider: Provider;
  readonly from: ProviderStatus;
  readonly to: ProviderStatus;
};

export type HealthPace = {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Consecutive failures that make a provider unavailable. */
  readonly threshold: number;
};

type Options = {
  readonly providers: () => readonly Provider[];
  readonly pace: HealthPace;
  readonly onTransition: (transition: Transition) => void;
};

/**
 * Checks each provider's health at an interval. One healthy answer makes a provider Ready, whatever it was before. Any answer other than 200
 * with `status` healthy or unhealthy is a failure.
 * @see https://github.com/dcm-project/environment-agent (internal/health/monitor)
 */
export type HealthMonitor = AsyncDisposable & {
  /** @returns Unhealthy before the first check */
  status(id: string): ProviderStatus;
  /** RFC 3339; undefined before the first check. */
  lastCheckTime(id: string): string | undefined;
  /** Resets a provider to Unhealthy, and checks it at once. */
  track(provider: Provider): Promise<void>;
  /** Checks all providers at once, and then at the interval. Settles after the first round. */
  start(): Promise<void>;
};

type Health = { status: ProviderStatus; failures: number; checkedAt?: string };
type Answer = 'healthy' | 'unhealthy' | 'failed';

export const healthMonitor = ({ providers, pace, onTransition }: Options): HealthMonitor => {
  const known = new Map<string, Health>();
  const stopping = new AbortController();
  let rounds: Promise<void> = Promise.resolve();
  const of = (id: string): Health => known.get(id) ?? { status: 'Unhealthy', failures: 0 };

  const check = async (provider: Provider) => {
    const before = of(provider.id);
    known.set(provider.id, before);
    const answer =
      provider.type === 'embedded' ? 'healthy' : await requestHealth(provider.endpoint, signalOf());
    if (known.get(provider.id) !== before || stopping.signal.aborted) return; // the provider was registered again during the check
    const after = { ...nextHealth(before, answer, pace.threshold), checkedAt: new Date().toISOString() };
    known.set(provider.id, after);
    if (after.status !== before.status) onTransition({ provider, from: before.status, to: after.status });
  };
  const signalOf = () => AbortSignal.any([stopping.signal, AbortSignal.timeout(pace.timeoutMs)]);
  const round = async () => void (await Promise.all(providers().map(check)));
  return {
    status: (id) => of(id).status,
    lastCheckTime: (id) => of(id).checkedAt,
    track: (provider) => {
      known.set(provider.id, { status: 'Unhealthy', failures: 0 });
      return check(provider);
    },
    start: async () => {
      await round();
      rounds = (async () => {
        const { signal } = stopping;
        while (!signal.aborted) {
          await sleep(pace.intervalMs, undefined, { signal }).catch(() => {});
          if (!signal.aborted) await round();
        }
      })();
    },
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await rounds;
    },
  };
};

const nextHealth = ({ status, failures }: Health, answer: Answer, threshold: number): Health => {
  if (answer === 'healthy') return { status: 'Ready', failures: 0 };
  if (answer === 'unhealthy') return { status: 'Unhealthy', failures: 0 };
  const counted = status === 'Unavailable' ? failures : failures + 1;
  return { status: counted >= threshold ? 'Unavailable' : status, failures: counted };
};

const Health = z.object({ status: z.string() });

const requestHealth = async (endpoint: string, signal: AbortSignal): Promise<Answer> => {
  try {
    const request = providerRequest(endpoint.replace(/\/+$/, ''), '/health');
    const response = await fetch(request, { signal });
    if (response.status !== 200) return 'failed';
    const status = Health.parse(await response.json()).status.toLowerCase();
    return status === 'healthy' || status === 'unhealthy' ? status : 'failed';
  } catch {
    return 'failed';
  }
};
