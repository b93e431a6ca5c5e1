import type { Forwarder, Outcome } from './forwarder.ts';
import type { ProviderStatus } from './health.ts';
import type { Publications, Request } from './messages.ts';
import type { Provider } from './providers.ts';

type Parts = {
  readonly serving: (serviceType: string) => Provider | undefined;
  readonly statusOf: (providerId: string) => ProviderStatus;
  readonly forwarder: Forwarder;
  readonly publications: Publications;
  readonly handlerMs: number;
  /** Removes the requests of a resource from the retry stream. */
  readonly purge: (resourceId: string) => Promise<void>;
};

/** How requests are handled, by the health of their provider. */
type Way = 'forward' | 'hold' | 'refuse';
const ways = { Ready: 'forward', Unhealthy: 'hold', Unavailable: 'refuse' } as const satisfies Record<
  ProviderStatus,
  Way
>;

/** `later`: the message is redelivered shortly. */
export type Handled = 'done' | 'later';

/**
 * Handles requests: forwards them, moves them to the retry stream or refuses them, by the health of their provider; one at a time for each
 * resource. A cancel that arrives before its create prevents it; one that arrives after is rejected.
 * @see https://github.com/dcm-project/environment-agent (internal/routing/router.go)
 */
export const routerOf = ({ serving, statusOf, forwarder, publications, handlerMs, purge }: Parts) => {
  const denied = new Set<string>();
  const claimed = new Set<string>();
  const inFlight = new Set<string>();
  const refuse = (resourceId: string, error: string, details: string) =>
    publications.answer('error', resourceId, { error, details });

  const acknowledge = ({ kind, resourceId }: Request) =>
    kind === 'create'
      ? publications.answer('creation-acknowledged', resourceId, { status: 'PROVISIONING' })
      : publications.answer('deletion-acknowledged', resourceId, { status: 'DELETING' });

  const forward = async (provider: Provider, request: Request, forwarding: Forwarder['once']) => {
    const { resourceId, kind } = request;
    if (inFlight.has(resourceId)) return 'in flight';
    inFlight.add(resourceId);
    const isNew = !claimed.has(resourceId);
    claimed.add(resourceId);
    let outcome: Outcome | 'denied' | undefined;
    try {
      outcome =
        kind === 'create' && denied.has(resourceId)
          ? 'denied'
          : await forwarding(provider.endpoint, request, AbortSignal.timeout(handlerMs)).catch(
              () => undefined,
            );
    } finally {
      inFlight.delete(resourceId);
      if (outcome !== 'done' && isNew) claimed.delete(resourceId);
    }
    if (outcome === 'done') await acknowledge(request);
    return outcome ?? 'timed out';
  };

  const wayOf = (serviceType: string) => {
    const provider = serving(serviceType);
    return { provider, way: provider === undefined ? 'unsupported' : ways[statusOf(provider.id)] } as const;
  };
  const hold = async ({ resourceId, serviceType }: Request, bytes: Uint8Array) => {
    await publications.hold(bytes);
    await publications.answer('request-queued', resourceId, { service_type: serviceType, status: 'QUEUED' });
  };
  const refuseFor = ({ resourceId, serviceType }: Request, way: Way | 'unsupported') =>
    way === 'unsupported'
      ? refuse(resourceId, 'UNSUPPORTED_SERVICE_TYPE', `provider not found for service type: ${serviceType}`)
      : refuse(resourceId, 'SP_UNAVAILABLE', `provider unavailable for service type: ${serviceType}`);
  const forwardAndAnswer = async (provider: Provider, request: Request): Promise<Handled> => {
    const outcome = await forward(provider, request, forwarder.repeatedly);
    if (outcome === 'in flight' || outcome === 'timed out') return 'later';
    if (outcome === 'denied') denied.delete(request.resourceId);
    else await refuseFinally(request, outcome);
    return 'done';
  };
  const refuseFinally = async ({ resourceId, serviceType }: Request, outcome: Outcome): Promise<void> => {
    const rest = `for service type: ${serviceType}`;
    if (outcome === 'final')
      await refuse(
        resourceId,
        'NON_RETRYABLE_SP_ERROR',
        `service provider returned non-retryable error ${rest}`,
      );
    if (outcome === 'retryable')
      await refuse(resourceId, 'RETRY_EXHAUSTED', `service provider error after retry exhaustion ${rest}`);
  };

  return {
    wayOf,
    forward,
    refuse,
    refuseFor,
    isDenied: ({ kind, resourceId }: Request) => kind === 'create' && denied.has(resourceId),
    deny: (resourceId: string) => void denied.add(resourceId),

    /** Handles a create or a delete of the main subject; `bytes` is the unchanged message. */
    handle: async (request: Request, bytes: Uint8Array): Promise<Handled> => {
      const { resourceId, serviceType, kind } = request;
      if (resourceId === '' || serviceType === '') {
        await refuse('', 'INVALID_PAYLOAD', 'resourceId and serviceType are required');
        return 'done';
      }
      if (kind === 'create' && denied.delete(resourceId)) return 'done';
      const { provider, way } = wayOf(serviceType);
      if (provider !== undefined && way === 'forward') return forwardAndAnswer(provider, request);
      if (way === 'hold') await hold(request, bytes);
      else await refuseFor(request, way);
      return 'done';
    },

    cancel: async ({ resourceId, serviceType }: Request): Promise<void> => {
      if (resourceId === '' || serviceType === '')
        return refuse('', 'INVALID_PAYLOAD', 'resourceId and serviceType are required');
      if (claimed.has(resourceId))
        return publications.answer('cancel-rejected', resourceId, { reason: 'resource already claimed' });
      denied.add(resourceId);
      await purge(resourceId);
      await publications.answer('cancel-acknowledged', resourceId, { service_type: serviceType });
    },
  };
};
export type Router = ReturnType<typeof routerOf>;
