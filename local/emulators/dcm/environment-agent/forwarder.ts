import { setTimeout as sleep } from 'node:timers/promises';
import { providerRequest } from '../provider-request.ts';
import type { Request } from './messages.ts';

/** What a provider answered to one attempt. */
export type Forwarded = {
  readonly requestId: string;
  readonly resourceId: string;
  readonly status: number;
  readonly body: string;
  /** How long the provider took, in milliseconds. */
  readonly ms: number;
};

/** `retryable`: no connection, 429 or 500 and above; every other refusal is final, 404 and 409 included. */
export type Outcome = 'done' | 'final' | 'retryable';

export type ForwardPace = {
  readonly attempts: number;
  /** Before the first retry; each next one waits up to twice as long, at most `longestBackoffMs`, by full jitter. */
  readonly backoffMs: number;
  readonly longestBackoffMs: number;
};

/**
 * Calls providers as the agent does: a create is the bare spec without any id, known only by its `Idempotency-Key`.
 * @see https://github.com/dcm-project/environment-agent (internal/routing/forwarder.go; internal/routing/router.go attemptForward)
 */
export const forwarder = (pace: ForwardPace, onForwarded: (forwarded: Forwarded) => void) => {
  /** One attempt. @throws the signal's reason where it comes first */
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
  /** As many attempts as it takes, with the same key. */
  const repeatedly = async (
    endpoint: string,
    request: Request,
    signal: AbortSignal,
    attempt = 1,
  ): Promise<Outcome> => {
    const outcome = await once(endpoint, request, signal);
    if (outcome !== 'retryable' || attempt >= pace.attempts) return outcome;
    const longestMs = Math.min(pace.backoffMs * 2 ** (attempt - 1), pace.longestBackoffMs);
    await sleep(longestMs * Math.random(), undefined, { signal });
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
