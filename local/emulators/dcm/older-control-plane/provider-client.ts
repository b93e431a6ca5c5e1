import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { reasonOf, UnavailableError, UpstreamError } from '../../../../shared/core/errors.ts';
import { requestBelow } from '../provider-request.ts';
import type { HealthAnswer } from './health-monitor.ts';
import type { Spec } from './rows.ts';

/** How DCM waits for a provider, in milliseconds. */
export type Patience = {
  readonly dispatchMs: number;
  readonly healthMs: number;
  /** Before the first retry; each next one waits twice as long, at most `longestRetryMs`. */
  readonly retryMs: number;
  readonly longestRetryMs: number;
};
export const defaultTimeout: Patience = {
  dispatchMs: 30_000,
  healthMs: 5_000,
  retryMs: 2_000,
  longestRetryMs: 30_000,
};

/**
 * DCM as the client of a provider. What gets no answer at all is tried four times, with the same id; every answer counts, whatever its
 * code. Credentials in the endpoint's URL are sent as Basic, with health checks too: seen of DCM's own programs.
 * @see https://github.com/dcm-project/control-plane (internal/sp/service/resource_manager/service_type_instance.go)
 */
export type ProviderClient = {
  /** The status that the provider answers, or nothing. @throws UpstreamError of 400 and above, UnavailableError without an answer */
  create(endpoint: string, id: string, spec: Spec): Promise<string>;
  /** Also done where the provider knows no such instance. @throws as `create` */
  delete(endpoint: string, id: string): Promise<void>;
  health(endpoint: string): Promise<HealthAnswer>;
};

const attempts = 4;
const Answer = z.object({ status: z.string().catch('') });
const Health = z.object({ status: z.string() });

export const providerClient = (patience: Patience): ProviderClient => {
  const dispatch = dispatcher(patience);
  return {
    create: (endpoint, id, spec) =>
      dispatch(
        () => requestBelow(endpoint, `?id=${encodeURIComponent(id)}`, jsonPost({ spec })),
        async (response) => ((await hasJson(response)) ? Answer.parse(await response.json()).status : ''),
      ),
    delete: (endpoint, id) =>
      dispatch(
        () => requestBelow(endpoint, `/${id}`, { method: 'DELETE' }),
        async (response) => void (response.status === 404 || (await hasJson(response))),
      ),
    health: async (endpoint) => {
      try {
        const request = requestBelow(endpoint.replace(/\/+$/, ''), '/health');
        const response = await fetch(request, { signal: AbortSignal.timeout(patience.healthMs) });
        return response.ok ? answerOf(await response.json()) : 'failed';
      } catch {
        return 'failed';
      }
    },
  };
};

/** Makes the request, and makes it again where it brings no answer, or one that `read` cannot read. */
const dispatcher = ({ dispatchMs, retryMs, longestRetryMs }: Patience) => {
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
    await sleep(Math.min(retryMs * 2 ** (attempt - 1), longestRetryMs));
    return dispatch(request, read, attempt + 1);
  };
  return dispatch;
};

/** Of a fetch that failed, which says only that it did. */
const causeOf = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? reasonOf(error.cause) : reasonOf(error);

const jsonPost = (body: unknown) => ({
  method: 'POST',
  headers: { accept: 'application/json', 'content-type': 'application/json' },
  body: JSON.stringify(body),
});

const answerOf = (body: unknown): HealthAnswer => {
  const { data } = Health.safeParse(body);
  return data?.status === 'healthy' || data?.status === 'unhealthy' ? data.status : 'failed';
};

/** Whether there is JSON to read. @throws UpstreamError of 400 and above */
const hasJson = async (response: Response): Promise<boolean> => {
  if (response.status >= 400) {
    const why = (await response.text()).slice(0, 1_000);
    throw new UpstreamError(`provider returned error: ${response.status} ${response.statusText} ${why}`);
  }
  return /\bjson\b/.test(response.headers.get('content-type') ?? '');
};
