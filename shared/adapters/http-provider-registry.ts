import ky, { HTTPError, type Options } from 'ky';
import type { ProviderRegistry, RegistrationAnswer } from '../ports/provider-registry.ts';
import { detailOf, explanationOf, heldRowOf, presentable, retryAfterSecondsOf } from './dcm-answers.ts';

/** How long DCM may take for one attempt, and for all attempts of one call with the pauses between them. */
export type Patience = { readonly attemptMs: number; readonly callMs: number };
const usualPatience: Patience = { attemptMs: 8_000, callMs: 20_000 };
/** A pause that DCM asks for and that is longer is the schedule's business. */
const longestPauseSeconds = 5;

const retriedStatuses = [408, 429, ...Array.from({ length: 100 }, (_, index) => 500 + index)];

/** Full jitter, so that many providers do not come back together after an outage. */
const retry: Options['retry'] = {
  limit: 2,
  methods: ['post', 'delete'],
  statusCodes: retriedStatuses,
  afterStatusCodes: retriedStatuses,
  backoffLimit: 4_000,
  jitter: true,
  retryOnTimeout: true,
  shouldRetry: ({ error }) =>
    error instanceof HTTPError && (retryAfterSecondsOf(error.response) ?? 0) > longestPauseSeconds
      ? false
      : undefined,
};

/**
 * The registry of DCM's control plane, or of an environment agent, at `baseUrl`. Redirects are not followed: the endpoint in the body can
 * hold a credential.
 */
export const httpProviderRegistry = (baseUrl: string, patience = usualPatience): ProviderRegistry => {
  const providers = `${baseUrl.replace(/\/+$/, '')}/api/v1alpha1/providers`;
  const options = (): Options => ({
    headers: { accept: 'application/json' },
    redirect: 'manual',
    timeout: patience.attemptMs,
    totalTimeout: patience.callMs,
    signal: AbortSignal.timeout(patience.callMs),
    retry,
  });

  return {
    async find(id) {
      try {
        return await heldRowOf(await ky.get(`${providers}/${id}`, { ...options(), retry: 0 }));
      } catch {
        return undefined;
      }
    },

    async register(id, json) {
      try {
        const response = await ky.post(providers, { ...options(), searchParams: { id }, json });
        const row = isRow(response) ? await heldRowOf(response) : undefined;
        if (row !== undefined) return { outcome: 'registered', isNew: response.status === 201, row };
        return {
          outcome: 'refused',
          detail: `HTTP ${response.status}, and it is no provider row that came with it`,
        };
      } catch (error) {
        return failureOf(error, json.endpoint);
      }
    },

    async withdraw(id) {
      try {
        await ky.delete(`${providers}/${id}`, options());
        return { outcome: 'withdrawn', detail: 'it is gone' };
      } catch (error) {
        if (statusOf(error) === 404) return { outcome: 'withdrawn', detail: 'there was none' };
        if (statusOf(error) === 405)
          return { outcome: 'refused', detail: 'an environment agent forgets no provider' };
        return failureOf(error);
      }
    },
  };
};

const isRow = ({ status }: Response): boolean => status === 200 || status === 201;

const statusOf = (error: unknown): number | undefined =>
  error instanceof HTTPError ? error.response.status : undefined;

/** What became of a call that did not succeed, and that may have told the endpoint. */
const failureOf = (
  error: unknown,
  endpoint?: string,
): Exclude<RegistrationAnswer, { outcome: 'registered' }> => {
  if (!(error instanceof HTTPError)) {
    const detail = presentable(explanationOf(error), endpoint);
    return { outcome: 'unreachable', detail, retryAfterSeconds: undefined };
  }
  const { response, data } = error;
  const detail = presentable(`HTTP ${response.status}: ${detailOf(response, data)}`, endpoint);
  if (!retriedStatuses.includes(response.status)) return { outcome: 'refused', detail };
  return { outcome: 'unreachable', detail, retryAfterSeconds: retryAfterSecondsOf(response) };
};
