import ky, { HTTPError, type Options } from 'ky';
import { ProviderError } from '../../core/errors.ts';
import type { ProviderListing, ProviderRegistry, RegistrationAnswer } from '../../ports/provider-registry.ts';
import type { ProviderRegistration } from '../../wire/dcm-provider.ts';
import type { ReadSecret } from '../secrets/secrets-manager.ts';
import {
  detailOf,
  explanationOf,
  heldProviderOf,
  listedIn,
  presentable,
  retryAfterSecondsOf,
} from './answers.ts';
import { type AgentAuth, type BearerTokens, bearerTokens } from './bearer-tokens.ts';

/** Of one attempt, and of all attempts of one call with the pauses between them. */
export type Timeouts = { readonly attemptMs: number; readonly callMs: number };
const defaultTimeouts: Timeouts = { attemptMs: 8_000, callMs: 20_000 };
/** Where DCM asks for a longer pause, the schedule tries again instead. */
const longestPauseSeconds = 5;

const retriedStatuses = [408, 429, ...Array.from({ length: 100 }, (_, index) => 500 + index)];

/** Full jitter, so that many providers do not call at the same moment after an outage. */
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
  /** Absent: calls carry no Authorization. */
  readonly tokens?: BearerTokens | undefined;
  readonly timeouts?: Timeouts;
};

/** DCM's registries by their settings. Registries with the same `auth` share one token, for as long as the function lives. */
export const httpProviderRegistries = (readSecret: ReadSecret) => {
  const known = new Map<string, BearerTokens>();
  const tokensOf = (auth: AgentAuth): BearerTokens => {
    const key = JSON.stringify(auth);
    const tokens = known.get(key) ?? bearerTokens(auth, readSecret);
    known.set(key, tokens);
    return tokens;
  };
  return ({ url, auth }: { readonly url: string; readonly auth?: AgentAuth | undefined }): ProviderRegistry =>
    httpProviderRegistry(url, { tokens: auth && tokensOf(auth) });
};

/**
 * The registry of an environment agent, or of a control plane of the older generation, at `baseUrl`. A token that is answered with 401 is
 * renewed once. Redirects are not followed, because the endpoint in the body can hold a credential.
 */
export const httpProviderRegistry = (
  baseUrl: string,
  { tokens, timeouts = defaultTimeouts }: RegistryOptions = {},
): ProviderRegistry => {
  const providers = `${baseUrl.replace(/\/+$/, '')}/api/v1alpha1/providers`;

  const send = (url: string, options: Options, token: string | undefined) =>
    ky(url, {
      redirect: 'manual',
      timeout: timeouts.attemptMs,
      signal: AbortSignal.timeout(timeouts.callMs),
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
      return listed === undefined
        ? { failure: 'the answer is not a list of providers' }
        : { providers: listed };
    } catch (error) {
      return { failure: (await failureOf(error, tokens)).detail };
    }
  };

  return {
    list,

    async find(id) {
      try {
        return await heldProviderOf(await call(`${providers}/${id}`, { method: 'get', retry: 0 }));
      } catch {
        return undefined;
      }
    },

    async register(id, json) {
      try {
        const response = await call(providers, { method: 'post', searchParams: { id }, json });
        const held = isSuccess(response) ? await heldProviderOf(response) : undefined;
        if (held !== undefined) return { outcome: 'registered', isNew: response.status === 201, held };
        return { outcome: 'refused', detail: `HTTP ${response.status}, and the answer is not a provider` };
      } catch (error) {
        const failure = await failureOf(error, tokens, json.endpoint);
        if (statusOf(error) !== 409 || failure.outcome !== 'refused') return failure;
        return {
          ...failure,
          detail: `${failure.detail}${conflictAdvice(await list(), json)}`,
          isConflict: true,
        };
      }
    },

    async withdraw(id) {
      try {
        await call(`${providers}/${id}`, { method: 'delete' });
        return { outcome: 'withdrawn', detail: 'DCM removed it' };
      } catch (error) {
        if (statusOf(error) === 404) return { outcome: 'withdrawn', detail: 'DCM did not have it' };
        if (statusOf(error) === 405)
          return { outcome: 'refused', detail: 'an environment agent cannot remove a provider' };
        return failureOf(error, tokens);
      }
    },
  };
};

const isSuccess = ({ status }: Response): boolean => status === 200 || status === 201;

const statusOf = (error: unknown): number | undefined =>
  error instanceof HTTPError ? error.response.status : undefined;

/** The result of a failed call; `endpoint` is what it sent, whose password must not be shown. */
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
  return { outcome: 'refused', detail: response.status === 401 ? `${detail}${tokenAdvice(tokens)}` : detail };
};

const tokenAdvice = (tokens: BearerTokens | undefined): string =>
  tokens === undefined
    ? '; DCM asks for a token, and no auth is set'
    : '; a renewed token was refused too: compare its issuer and audience with what the agent expects';

/** How to switch off the provider that has the service type, where that one is embedded in the agent. */
const conflictAdvice = (
  { providers = [] }: ProviderListing,
  { name, service_type: type }: ProviderRegistration,
): string => {
  const holder = providers.find((one) => one.service_type === type && one.name !== name);
  return holder?.type === 'embedded'
    ? `; that one is embedded in the agent: take ${type} out of its AGENT_EMBEDDED_SPS and restart it`
    : '';
};
