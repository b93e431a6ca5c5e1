import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { reasonOf, UnavailableError, UpstreamError } from '../../../../shared/core/errors.ts';
import type { Spec } from '../api-conventions.ts';
import { providerRequest } from '../provider-request.ts';
import type { HealthAnswer } from './health-monitor.ts';

/** How long DCM waits for a provider and between attempts, in milliseconds. */
export type ProviderTimeouts = {
  readonly dispatchMs: number;
  readonly healthMs: number;
  /** Pause before the first retry. It doubles with each retry, up to `maximumRetryMs`. */
  readonly retryMs: number;
  readonly maximumRetryMs: number;
};
export const defaultProviderTimeouts: ProviderTimeouts = {
  dispatchMs: 30_000,
  healthMs: 5_000,
  retryMs: 2_000,
  maximumRetryMs: 30_000,
};

/**
 * DCM as the client of a provider. A request without an answer is tried four times, with the same id; any answer ends the attempts,
 * whatever its status code. Credentials in the endpoint's URL are sent as Basic authentication, as DCM's own programs were observed to do,
 * with health checks too.
 * @see https://github.com/dcm-project/control-plane (internal/sp/service/resource_manager/service_type_instance.go)
 */
export type ProviderClient = {
  /** The status that the provider answers, or empty. @throws UpstreamError for 400 and above, UnavailableError without an answer */
  create(endpoint: string, id: string, spec: Spec): Promise<string>;
  /** Succeeds too where the provider answers 404. @throws as `create` */
  delete(endpoint: string, id: string): Promise<void>;
  health(endpoint: string): Promise<HealthAnswer>;
};

const attempts = 4;
const Answer = z.object({ status: z.string().catch('') });
const Health = z.object({ status: z.string() });

export const providerClient = (timeouts: ProviderTimeouts): ProviderClient => {
  const dispatch = dispatcher(timeouts);
  return {
    create: (endpoint, id, spec) =>
      dispatch(
        () => providerRequest(endpoint, `?id=${encodeURIComponent(id)}`, jsonPost({ spec })),
        async (response) => ((await hasJson(response)) ? Answer.parse(await response.json()).status : ''),
      ),
    delete: (endpoint, id) =>
      dispatch(
        () => providerRequest(endpoint, `/${id}`, { method: 'DELETE' }),
        async (response) => void (response.status === 404 || (await hasJson(response))),
      ),
    health: async (endpoint) => {
      try {
        const request = providerRequest(endpoint.replace(/\/+$/, ''), '/health');
        const response = await fetch(request, { signal: AbortSignal.timeout(timeouts.healthMs) });
        return response.ok ? healthIn(await response.json()) : 'failed';
      } catch {
        return 'failed';
      }
    },
  };
};

/** Sends a request, and retries it where no answer comes or `read` fails. */
const dispatcher = ({ dispatchMs, retryMs, maximumRetryMs }: ProviderTimeouts) => {
  const dispatch = async <Result>(
    request: () => Request,
    read: (response: Response) => Promise<Result>,
    attempt = 1,
  ): Promise<Result> => {
    try {
      return await read(await fetch(request(), { signal: AbortSignal.timeout(dispatchMs) }));
    } catch (error) {
      if (error instanceof UpstreamError) throw error;
      if (attempt === attempts)
        throw new UnavailableError(`failed to connect to provider: ${causeOf(error)}`, { cause: error });
    }
    await sleep(Math.min(retryMs * 2 ** (attempt - 1), maximumRetryMs));
    return dispatch(request, read, attempt + 1);
  };
  return dispatch;
};

/** The cause of a failed `fetch`, whose own message says only that it failed. */
const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);

const jsonPost = (body: unknown) => ({
  method: 'POST',
  headers: { accept: 'application/json', 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const healthIn = (body: unknown): HealthAnswer => {
  const { data } = Health.safeParse(body);
  return data?.status === 'healthy' || data?.status === 'unhealthy' ? data.status : 'failed';
};

/** Whether the response has a JSON body. @throws UpstreamError for 400 and above */
const hasJson = async (response: Response): Promise<boolean> => {
  if (response.status >= 400) {
    const detail = (await response.text()).slice(0, 1_000);
    throw new UpstreamError(`provider returned error: ${response.status} ${response.statusText} ${detail}`);
  }
  return /\bjson\b/.test(response.headers.get('content-type') ?? '');
};
