import type { JsMsg } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { ensureConsumer, jsonOf, messagesNow } from '../jetstream.ts';
import type { Forwarder } from './forwarder.ts';
import { type Publications, type Request, readRequest, type Topics } from './messages.ts';
import type { Router } from './router.ts';

type Parts = {
  readonly nats: NatsConnection;
  readonly topics: Topics;
  readonly router: Pick<Router, 'forward' | 'wayOf' | 'refuseFor' | 'isDenied'>;
  readonly forwarder: Forwarder;
  readonly publications: Publications;
  /** Redelivery delay of requests that cannot be forwarded yet. */
  readonly requeueMs: number;
};
type Held = { readonly message: JsMsg; readonly request: Request };

/**
 * The requests that arrived while their provider was Unhealthy, in order. They are processed when a provider's health changes and when the
 * agent starts; requests that cannot be forwarded then stay on the stream.
 * @see https://github.com/dcm-project/environment-agent (internal/routing/retry/processor.go)
 */
export const retryStream = (parts: Parts) => {
  const { nats, topics, router, forwarder, publications, requeueMs } = parts;
  let queue: Promise<unknown> = Promise.resolve();
  const oneAtATime = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const working = queue.then(work);
    queue = working.catch(() => undefined);
    return working;
  };
  const fetchAll = async (): Promise<Held[]> => {
    const held: Held[] = [];
    for await (const message of messagesNow(nats, topics.retryStream, topics.retryConsumer)) {
      const request = readRequest(jsonOf(message));
      if (request === undefined) message.term();
      else held.push({ message, request });
    }
    return held;
  };

  const process = async ({ message, request }: Held): Promise<void> => {
    if (router.isDenied(request)) return message.ack();
    const { provider, way } = router.wayOf(request.serviceType);
    if (way === 'refuse') {
      await router.refuseFor(request, way);
      return message.ack();
    }
    if (provider === undefined || way !== 'forward') return message.nak(requeueMs);
    message.working();
    const outcome = await router.forward(provider, request, forwarder.once);
    if (outcome === 'done' || outcome === 'denied') message.ack();
    else message.nak(requeueMs);
  };

  return {
    /** Creates the consumer, before any request is moved to the stream. */
    open: () =>
      ensureConsumer({
        ...{ nats, stream: topics.retryStream, durable: topics.retryConsumer },
        config: { ack_wait: nanos(120_000) },
      }),
    /** Processes the held requests. A create and a delete of one resource cancel each other out; the others are handled by their provider's health. */
    drain: () =>
      oneAtATime(async () => {
        const held = await fetchAll();
        const paired = resourcesWithBoth(held);
        for (const one of held.filter(({ request }) => paired.has(request.resourceId))) one.message.ack();
        for (const resourceId of paired)
          await publications.answer('deletion-acknowledged', resourceId, { status: 'DELETED' });
        for (const one of held.filter(({ request }) => !paired.has(request.resourceId))) await process(one);
      }),
    /** Removes the held requests of a resource. */
    purge: (resourceId: string) =>
      oneAtATime(async () => {
        for (const { message, request } of await fetchAll())
          if (request.resourceId === resourceId) message.ack();
          else message.nak(requeueMs);
      }),
  };
};

const resourcesWithBoth = (held: readonly Held[]): Set<string> => {
  const of = (kind: Request['kind']) =>
    new Set(held.filter(({ request }) => request.kind === kind).map(({ request }) => request.resourceId));
  const deleted = of('delete');
  return new Set([...of('create')].filter((resourceId) => deleted.has(resourceId)));
};
