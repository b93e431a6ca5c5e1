import { setTimeout as sleep } from 'node:timers/promises';
import { type JsMsg, jetstream } from '@nats-io/jetstream';
import { type NatsConnection, nanos } from '@nats-io/transport-node';
import { reasonOf } from '../../../../shared/core/errors.ts';
import { type JwtIssuer, jwtVerifier } from '../../../../shared/http/jwt-verifier.ts';
import { disposables, startTogether, type Use } from '../../../processes/disposables.ts';
import { type LocalServer, serve } from '../../../processes/loopback.ts';
import { requestStream } from '../control-plane/requests.ts';
import { ensureConsumer, jsonOf, messagesNow, startConsumer } from '../jetstream.ts';
import { connectToNats } from '../nats-connection.ts';
import { type Forwarded, type ForwardPace, forwarder as forwarderOf } from './forwarder.ts';
import { type HealthPace, healthMonitor, type Transition } from './health.ts';
import { agentApi } from './http.ts';
import {
  ensureOwnStreams,
  publications as publicationsOf,
  readRequest,
  type Topics,
  topicsOf,
} from './messages.ts';
import { openProviders } from './providers.ts';
import { startRegistrar } from './registrar.ts';
import { retryStream } from './retry-stream.ts';
import { routerOf } from './router.ts';

/** The agent's timeouts and intervals. @see https://github.com/dcm-project/environment-agent (internal/config/config.go) */
export type AgentPace = {
  readonly health: HealthPace;
  readonly forward: ForwardPace;
  /** Timeout of a request, all attempts together. */
  readonly handlerMs: number;
  /** Redelivery delay of a request that cannot be handled now. */
  readonly nakMs: number;
  /** The same on the retry stream. */
  readonly requeueMs: number;
  readonly maxDeliver: number;
  readonly heartbeatMs: number;
  readonly registrationBackoffMs: number;
};
export const defaultPace: AgentPace = {
  health: { intervalMs: 10_000, timeoutMs: 5_000, threshold: 3 },
  forward: { attempts: 3, backoffMs: 2_000, maximumBackoffMs: 30_000 },
  ...{ handlerMs: 60_000, nakMs: 500, requeueMs: 10_000, maxDeliver: 10 },
  ...{ heartbeatMs: 30_000, registrationBackoffMs: 1_000 },
};

export type EnvironmentAgentOptions = {
  /** Without dots. The names of its streams are made from it, unless `topic` is given. */
  readonly name: string;
  readonly topic?: string | undefined;
  readonly natsUrl: string;
  readonly controlPlaneUrl: string;
  readonly port?: number;
  /** Path of the file of providers. @default in memory only */
  readonly persistencePath?: string | undefined;
  /** Service types of embedded providers. @default none */
  readonly embedded?: readonly string[];
  /** Issuer of the JWTs that its API requires. @default no authentication */
  readonly issuer?: JwtIssuer;
  /** How many requests it handles at the same time. @default 1, as in DCM's agent */
  readonly concurrency?: number;
  /** @default defaultPace, as in DCM's agent */
  readonly pace?: Partial<AgentPace>;
  readonly log: (line: string) => void;
};

export type EnvironmentAgent = LocalServer & {
  /** The answers of providers, one for each attempt. */
  forwarded(): readonly Forwarded[];
};

/**
 * An emulator of DCM's environment agent: it accepts one provider for each service type, checks its health, and forwards the control plane's
 * requests accordingly. Its API answers at once; requests are consumed once the control plane has created their stream.
 */
export const startEnvironmentAgent = (options: EnvironmentAgentOptions): Promise<EnvironmentAgent> =>
  startTogether((use) => start(options, use));

const start = async (
  options: EnvironmentAgentOptions,
  use: Use,
): Promise<Omit<EnvironmentAgent, keyof AsyncDisposable>> => {
  const pace = { ...defaultPace, ...options.pace };
  const { name, log } = options;
  const topics = topicsOf(options.topic ?? name);
  const nats = await use(connectToNats(options.natsUrl, log, 'environment agent'));
  const providers = await openProviders({ path: options.persistencePath, embedded: options.embedded });
  const forwarded: Forwarded[] = [];
  const forwarder = forwarderOf(pace.forward, (one) => void forwarded.push(one));
  const publications = publicationsOf({ nats, agentName: name, topics, log });
  const { serving } = providers;
  const statusOf = (id: string) => monitor.status(id);
  const purge = (resourceId: string) => held.purge(resourceId);
  const parts = { forwarder, publications };
  const router = routerOf({ ...parts, serving, statusOf, purge, handlerMs: pace.handlerMs });
  const held = retryStream({ ...parts, nats, topics, router, requeueMs: pace.requeueMs });

  const onTransition = ({ provider, from, to }: Transition) => {
    log(`provider ${provider.name} is ${to}`);
    if (from === 'Unavailable' || to === 'Unavailable') registrar.changed();
    if (to !== 'Unhealthy') void held.drain().catch((error) => log(`retry stream: ${reasonOf(error)}`));
    if (to === 'Ready') return;
    const about = { service_type: provider.service_type, affected_provider: provider.name };
    void publications.health(to === 'Unhealthy' ? 'degraded' : 'unavailable', about);
  };
  const monitor = await use(healthMonitor({ providers: providers.list, pace: pace.health, onTransition }));
  const serviceTypes = () =>
    providers.list().flatMap((one) => (statusOf(one.id) === 'Unavailable' ? [] : [one.service_type]));
  const registrar = await use(
    startRegistrar({
      ...{
        controlPlaneUrl: options.controlPlaneUrl,
        agentName: name,
        topicName: topics.main,
        serviceTypes,
      },
      ...{ lag: () => lagOf(nats, topics.mainConsumer), heartbeatMs: pace.heartbeatMs },
      ...{ backoffMs: pace.registrationBackoffMs, log },
    }),
  );

  const onMain = async (message: JsMsg): Promise<void> => {
    const request = readRequest(jsonOf(message));
    if (request === undefined || request.kind === 'cancel') return message.ack(); // not a request of this subject
    if (message.info.deliveryCount >= pace.maxDeliver) {
      await router.refuse(request.resourceId, 'MAX_DELIVERY_EXCEEDED', 'max delivery attempts exceeded');
      return message.term();
    }
    const handled = await router.handle(request, message.data).catch((error) => {
      log(`the ${request.kind} of ${request.resourceId} failed, will be redelivered: ${reasonOf(error)}`);
      return 'later' as const;
    });
    if (handled === 'done') message.ack();
    else message.nak(pace.nakMs);
  };
  const onCancel = async (message: JsMsg): Promise<void> => {
    const request = readRequest(jsonOf(message));
    if (request?.kind !== 'cancel') return message.ack();
    await router.cancel(request).then(
      () => message.ack(),
      () => message.nak(pace.nakMs),
    );
  };
  const consuming = (consumer: Omit<Parameters<typeof startConsumer>[0], 'nats' | 'stream' | 'log'>) =>
    startConsumer({ nats, stream: requestStream, log, ...consumer });
  const mainConsumer = { durable: topics.mainConsumer, ...mainConfig(topics, pace) };
  const cancelConsumer = { durable: topics.cancelConsumer, ...cancelConfig(topics) };
  /** Creates that were cancelled while the agent did not run are prevented without an answer. */
  const denyCancelled = async () => {
    await ensureConsumer({ nats, stream: requestStream, ...cancelConsumer });
    for await (const message of messagesNow(nats, requestStream, topics.cancelConsumer)) {
      router.deny(readRequest(jsonOf(message))?.resourceId ?? '');
      message.ack();
    }
  };
  const takeRequests = async (useConsumer: Use, signal: AbortSignal) => {
    await monitor.start();
    await retryUntilDone(
      () => ensureOwnStreams(nats, topics).then(held.open).then(denyCancelled),
      signal,
      log,
    );
    if (signal.aborted) return;
    await held.drain();
    await useConsumer(consuming({ ...cancelConsumer, handle: onCancel }));
    await useConsumer(consuming({ ...mainConsumer, handle: onMain, concurrency: options.concurrency ?? 1 }));
  };
  await use(inBackground(takeRequests, log));

  const verify = options.issuer && jwtVerifier(options.issuer);
  const api = agentApi({
    ...{
      providers,
      monitor,
      isTrusted: verify && (async (token) => (await verify(token)) !== undefined),
      isConnected: () => !nats.isClosed(),
      onRegistered: registrar.changed,
    },
  });
  const { url } = await use(serve(api.fetch, options.port));
  return { url, forwarded: () => [...forwarded] };
};

const cancelConfig = ({ cancel }: Topics) => ({
  config: { filter_subject: cancel, ack_wait: nanos(10_000) },
});
const mainConfig = ({ main }: Topics, { maxDeliver }: AgentPace) => ({
  config: { filter_subject: main, ack_wait: nanos(120_000), max_deliver: maxDeliver },
});

/** Runs work without waiting for it. Disposing ends it, and disposes of the resources that it has started. */
const inBackground = (
  work: (use: Use, signal: AbortSignal) => Promise<void>,
  log: (line: string) => void,
): AsyncDisposable => {
  const stopping = new AbortController();
  const { use, stop } = disposables();
  const working = work(use, stopping.signal).catch((error) => log(reasonOf(error)));
  return {
    [Symbol.asyncDispose]: async () => {
      stopping.abort();
      await working;
      await stop();
    },
  };
};

const retryAfterMs = 250;

const retryUntilDone = async (
  work: () => Promise<unknown>,
  signal: AbortSignal,
  log: (line: string) => void,
): Promise<void> => {
  while (!signal.aborted)
    try {
      await work();
      return;
    } catch (error) {
      log(`JetStream is not ready: ${reasonOf(error)}; trying again`);
      await sleep(retryAfterMs);
    }
};

/** Number of messages that the agent has not acknowledged; 0 where they cannot be counted. */
const lagOf = async (nats: NatsConnection, durable: string): Promise<number> => {
  try {
    const consumer = await jetstream(nats).consumers.get(requestStream, durable);
    const { num_pending: waiting, num_ack_pending: taken } = await consumer.info();
    return waiting + taken;
  } catch {
    return 0;
  }
};
