import { setTimeout as sleep } from 'node:timers/promises';
import { providerRequest } from '../provider-request.ts';
import type { Request } from './messages.ts';

/** A provider's answer to one attempt. */
export type Forwarded = {
  readonly requestId: string;
  readonly resourceId: string;
  readonly status: number;
  readonly body: string;
  /** Response time, in milliseconds. */
  readonly ms: number;
};

/** `retryable`: no connection, 429, or 500 and above. Every other error is final, including 404 and 409. */
export type Outcome = 'done' | 'final' | 'retryable';

export type ForwardPace = {
  readonly attempts: number;
  /** Longest pause before the first retry, with full jitter. It doubles with each retry, up to `maximumBackoffMs`. */
  readonly backoffMs: number;
  readonly maximumBackoffMs: number;
};

/**
 * Calls providers as the agent does: a create has the bare spec as body and no id; only its `Idempotency-Key` identifies it.
 * @see https://github.com/dcm-project/environment-agent (internal/routing/forwarder.go; internal/routing/router.go attemptForward)
 */
export const forwarder = (pace: ForwardPace, onForwarded: (forwarded: Forwarded) => void) => {
  /** One attempt. @throws the signal's reason where it aborts first */
  const once = async (endpoint: string, request: Request, signal: AbortSignal): Promise<Outcome> => {
    const startedAtMs = performance.now();
    try {
      const response = await fetch(callOf(endpoint, request), { signal });
      const body = await response.text();
      const ms = performance.now() - startedAtMs;
      onForwarded({
        requestId: request.id,
        resourceId: request.resourceId,
        status: response.status,
        body,
        ms,
      });
      if (response.ok) return 'done';
      return response.status >= 500 || response.status === 429 ? 'retryable' : 'final';
    } catch {
      signal.throwIfAborted();
      return 'retryable';
    }
  };
  /** Attempts with the same key, until one is not `retryable` or `pace.attempts` is reached. */
  const repeatedly = async (
    endpoint: string,
    request: Request,
    signal: AbortSignal,
    attempt = 1,
  ): Promise<Outcome> => {
    const outcome = await once(endpoint, request, signal);
    if (outcome !== 'retryable' || attempt >= pace.attempts) return outcome;
    const maximumMs = Math.min(pace.backoffMs * 2 ** (attempt - 1), pace.maximumBackoffMs);
    await sleep(maximumMs * Math.random(), undefined, { signal });
    return repeatedly(endpoint, request, signal, attempt + 1);
  };
  return { once, repeatedly };
};
export type Forwarder = ReturnType<typeof forwarder>;

const callOf = (endpoint: string, { id, kind, resourceId, spec }: Request): globalThis.Request => {
  const headers = { 'idempotency-key': id };
  if (kind === 'delete')
    return providerRequest(endpoint.replace(/\/+$/, ''), `/${encodeURIComponent(resourceId)}`, {
      ...{ method: 'DELETE', headers },
    });
  return providerRequest(endpoint, '', {
    ...{
      method: 'POST',
      headers: { ...headers, 'content-type': 'application/json' },
      body: JSON.stringify(spec),
    },
  });
};
