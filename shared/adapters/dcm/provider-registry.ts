import ky, { HTTPError, type Options } from 'ky';
import { ProviderError } from '../../core/errors.ts';
import type { ProviderListing, ProviderRegistry, RegistrationAnswer } from '../../ports/provider-registry.ts';
import type { ProviderRegistration } from '../../wire/dcm-provider.ts';
import { detailOf, explanationOf, heldRowOf, listedIn, presentable, retryAfterSecondsOf } from './answers.ts';
import type { BearerTokens } from './bearer-tokens.ts';

/** How long DCM may take for one attempt, and for all attempts of one call with the pauses between them. */
export type Patience = { readonly attemptMs: number; readonly callMs: number };
const defaultTimeout: Patience = { attemptMs: 8_000, callMs: 20_000 };
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

type RegistryOptions = {
  /** Left out: calls carry no Authorization. */
  readonly tokens?: BearerTokens | undefined;
  readonly patience?: Patience;
};

/**
 * The registry of an environment agent, or of a control plane of the older generation, at `baseUrl`. A token that is answered 401 is
 * replaced once. Redirects are not followed: the endpoint in the body can hold a credential.
 */
export const httpProviderRegistry = (
  baseUrl: string,
  { tokens, patience = defaultTimeout }: RegistryOptions = {},
): ProviderRegistry => {
  const providers = `${baseUrl.replace(/\/+$/, '')}/api/v1alpha1/providers`;

  const send = (url: string, options: Options, token: string | undefined) =>
    ky(url, {
      redirect: 'manual',
      timeout: patience.attemptMs,
      signal: AbortSignal.timeout(patience.callMs),
      retry,
      ...options,
      headers: {
        accept: 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    });

  const call = async (url: string, options: Options): Promise<Response> => {
    const token = await tokens?.current();
    try {
      return await send(url, options, token);
    } catch (error) {
      if (statusOf(error) !== 401 || tokens === undefined || token === undefined) throw error;
      const renewed = await tokens.renewed(token);
      if (renewed === token) throw error;
      return send(url, options, renewed);
    }
  };

  const list = async (): Promise<ProviderListing> => {
    try {
      const listed = await listedIn(await call(providers, { method: 'get', retry: 0 }));
      return listed === undefined ? { failure: 'the answer is no list of providers' } : { providers: listed };
    } catch (error) {
      return { failure: (await failureOf(error, tokens)).detail };
    }
  };

  return {
    list,

    async find(id) {
      try {
        return await heldRowOf(await call(`${providers}/${id}`, { method: 'get', retry: 0 }));
      } catch {
        return undefined;
      }
    },

    async register(id, json) {
      try {
        const response = await call(providers, { method: 'post', searchParams: { id }, json });
        const row = isRow(response) ? await heldRowOf(response) : undefined;
        if (row !== undefined) return { outcome: 'registered', isNew: response.status === 201, row };
        return {
          outcome: 'refused',
          detail: `HTTP ${response.status}, and it is no provider row that came with it`,
        };
      } catch (error) {
        const failure = await failureOf(error, tokens, json.endpoint);
        if (statusOf(error) !== 409 || failure.outcome !== 'refused') return failure;
        return { ...failure, detail: `${failure.detail}${adviceOn(await list(), json)}`, isConflict: true };
      }
    },

    async withdraw(id) {
      try {
        await call(`${providers}/${id}`, { method: 'delete' });
        return { outcome: 'withdrawn', detail: 'it is gone' };
      } catch (error) {
        if (statusOf(error) === 404) return { outcome: 'withdrawn', detail: 'there was none' };
        if (statusOf(error) === 405)
          return { outcome: 'refused', detail: 'an environment agent forgets no provider' };
        return failureOf(error, tokens);
      }
    },
  };
};

const isRow = ({ status }: Response): boolean => status === 200 || status === 201;

const statusOf = (error: unknown): number | undefined =>
  error instanceof HTTPError ? error.response.status : undefined;

/** What became of a call that did not succeed, and that may have told the endpoint. */
const failureOf = async (
  error: unknown,
  tokens: BearerTokens | undefined,
  endpoint?: string,
): Promise<Exclude<RegistrationAnswer, { outcome: 'registered' }>> => {
  if (error instanceof ProviderError)
    return error.retryable
      ? { outcome: 'unreachable', detail: error.message, retryAfterSeconds: undefined }
      : { outcome: 'refused', detail: error.message };
  if (!(error instanceof HTTPError)) {
    const detail = presentable(explanationOf(error), endpoint);
    return { outcome: 'unreachable', detail, retryAfterSeconds: undefined };
  }
  const { response } = error;
  const detail = presentable(`HTTP ${response.status}: ${await detailOf(response)}`, endpoint);
  if (retriedStatuses.includes(response.status))
    return { outcome: 'unreachable', detail, retryAfterSeconds: retryAfterSecondsOf(response) };
  return { outcome: 'refused', detail: response.status === 401 ? `${detail}${missing(tokens)}` : detail };
};

const missing = (tokens: BearerTokens | undefined): string =>
  tokens === undefined
    ? '; DCM asks for a token, and no auth is set'
    : '; a new token was refused, too: compare its issuer and audience with what the agent expects';

/** Who has the service type, where that is an embedded provider: its name alone does not tell how it is switched off. */
const adviceOn = (
  { providers = [] }: ProviderListing,
  { name, service_type: type }: ProviderRegistration,
): string => {
  const holder = providers.find((one) => one.service_type === type && one.name !== name);
  return holder?.type === 'embedded'
    ? `; that one is embedded in the agent: take ${type} out of its AGENT_EMBEDDED_SPS and restart it`
    : '';
};
