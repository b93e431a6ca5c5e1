import { requestBelow } from '../endpoint-request.ts';
import type { AgentRequest } from './requests.ts';

/** What the provider answered to a request that was handed on. */
export type Forwarded = {
  readonly requestId: string;
  readonly resourceId: string;
  readonly status: number;
  readonly body: string;
  /** How long the provider took. */
  readonly ms: number;
};

/**
 * Hands a request on as the environment agent does: the bare spec without any id, the request's own id as `Idempotency-Key`.
 * @see https://github.com/dcm-project/environment-agent (internal/routing/forwarder.go)
 */
export const forward = async (endpoint: string, { id, type, data }: AgentRequest): Promise<Forwarded> => {
  const headers = { 'idempotency-key': id };
  const request =
    type === 'dcm.request.create'
      ? requestBelow(endpoint, '', {
          method: 'POST',
          headers: { ...headers, 'content-type': 'application/json' },
          body: JSON.stringify(data.spec),
        })
      : requestBelow(endpoint, `/${encodeURIComponent(data.resource_id)}`, { method: 'DELETE', headers });
  const startedAtMs = performance.now();
  const response = await fetch(request, { signal: AbortSignal.timeout(60_000) });
  const body = await response.text();
  const ms = performance.now() - startedAtMs;
  return { requestId: id, resourceId: data.resource_id, status: response.status, body, ms };
};
