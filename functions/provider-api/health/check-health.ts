import { LRUCache } from 'lru-cache';
import { NotFoundError, ProviderError, UnavailableError } from '../../../shared/core/errors.ts';
import { nameOf, type ServiceType } from '../../../shared/core/kind.ts';
import { type NamedTarget, type Target, targetKey, targetName } from '../../../shared/core/target.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Backlog, FirstAnswer, NatsProbe, ServiceProbe } from '../../../shared/ports/health-probes.ts';
import type { Heartbeats } from '../../../shared/ports/heartbeats.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { Registrations } from '../../../shared/ports/registrations.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';
import { type Health, healthTypeOf } from '../../../shared/wire/health.ts';
import { heartbeatEvent } from '../../../shared/wire/heartbeat.ts';
import { withTimeout } from '../timeout.ts';

/** A service type that is deployed. */
export type CheckedService = {
  readonly serviceType: ServiceType;
  /** The AWS service, in messages: `EC2`. */
  readonly service: string;
  readonly probe: ServiceProbe;
  /** In which its resources can be created. */
  readonly targets: readonly Target[];
};

type Parts = {
  readonly services: readonly CheckedService[];
  readonly backlog: Backlog;
  readonly nats: NatsProbe;
  readonly registrations: Pick<Registrations, 'read'>;
  readonly firstAnswer: FirstAnswer;
  /** Under which the resources of a service type in a target are registered at DCM. */
  readonly providerNameOf: (target: NamedTarget, serviceType: ServiceType) => string;
  readonly version: string;
  readonly now: Clock;
  readonly log: Log;
  /** Of each check. @default 2,500 */
  readonly timeoutMs?: number;
};

/** DCM polls every 10 s, and the endpoint is public. */
const keepHealthyMs = 5_000;
/** The normaliser's retries are at most 60 s apart, so no message of a healthy provider waits this long. */
const longestBacklogSeconds = 300;

/** `serviceType` undefined: the health of the whole API. */
export type HealthAsked = NamedTarget & { readonly serviceType?: ServiceType | undefined };

/**
 * The health of one service type in one target: `healthy` where its AWS service, the resource store, the observations queue and NATS answer,
 * all asked at once. The whole API is healthy where these three answer and at least one service type's service does, so that one that is
 * broken takes no other away. Only `healthy` is cached, so that the next poll finds a recovery. A registration that DCM refuses is reported
 * in `detail`, but does not make the provider unhealthy, because the statuses of existing resources are still published.
 * @throws NotFoundError, at once, for a target in which no such resources are created; nothing else.
 */
export const checkHealth = (parts: Parts): ((asked: HealthAsked) => Promise<Health>) => {
  const { version, services, firstAnswer, now, log, timeoutMs = 2_500 } = parts;
  const startedAt = Math.floor(now() / 1000);
  const keepingHealthy = { ttl: keepHealthyMs, ttlResolution: 0, perf: { now } };

  const checked = <Answer>(service: string, asked: Promise<Answer>) =>
    withTimeout(timeoutMs, service, asked).then(
      (answer): Checked<Answer> => ({ answer, fault: undefined }),
      (error: unknown): Checked<Answer> => ({ answer: undefined, fault: faultOf(service, error) }),
    );

  /** What all service types need, in every target. */
  const shared = new LRUCache<'shared', readonly string[]>({
    ...{ max: 1, ...keepingHealthy },
    fetchMethod: async () =>
      faultsOf(
        await Promise.all([
          checked('the observations queue', checkQueue(parts)),
          checked('NATS', checkNats(parts)),
        ]),
      ),
  });
  const sharedFaults = async (): Promise<readonly string[]> => {
    const faults = await shared.forceFetch('shared');
    if (faults.length > 0) shared.delete('shared');
    return faults;
  };

  const check = async ({ serviceType, ...target }: HealthAsked): Promise<Health> => {
    const region = targetName(target);
    const asked = servicesIn(services, { serviceType, ...target });
    const [since, registration, ofServices, ofShared] = await Promise.all([
      withTimeout(timeoutMs, 'the resource store', firstAnswer(version)).catch(() => startedAt),
      checked('the resource store', refusedRegistrations(parts, target, asked)),
      Promise.all(asked.map(({ service, probe }) => checked(`${service} in ${region}`, probe(target)))),
      sharedFaults(),
    ]);
    const broken = faultsOf(ofServices);
    const faults = [...faultsOf([registration]), ...broken, ...ofShared];
    const isHealthy = faults.length === broken.length && broken.length < asked.length;
    if (faults.length > 0)
      log.warn('the provider is not healthy', { region, ...(serviceType && { serviceType }), faults });
    return {
      status: isHealthy ? 'healthy' : 'unhealthy',
      version,
      uptime: Math.max(0, Math.floor(now() / 1000) - since),
      type: healthTypeOf(serviceType),
      path: 'health',
      ...detailOf(faults, registration.answer ?? []),
    };
  };

  const checks = new LRUCache<string, Health, { readonly asked: HealthAsked }>({
    ...{ max: 100, ...keepingHealthy },
    fetchMethod: (_key, _stale, { context }) => check(context.asked),
  });
  return async (asked) => {
    if (servicesIn(services, asked).length === 0) throw nothingIn(services, asked);
    const key = `${asked.serviceType ?? ''} ${targetKey(asked)}`;
    const health = await checks.forceFetch(key, { context: { asked } });
    if (health.status !== 'healthy') checks.delete(key);
    return health;
  };
};

/** The services that the health in a target depends on. */
const servicesIn = (services: readonly CheckedService[], { serviceType, ...target }: HealthAsked) =>
  services.filter(
    (one) =>
      (serviceType === undefined || one.serviceType === serviceType) &&
      one.targets.some((served) => targetKey(served) === targetKey(target)),
  );

const nothingIn = (services: readonly CheckedService[], { serviceType, ...target }: HealthAsked) => {
  const asked = serviceType === undefined ? services.map((one) => one.serviceType) : [serviceType];
  const names = asked.map((one) => `${nameOf(one)}s`).join(' or ');
  return new NotFoundError(`no ${names} are created in ${targetName(target)}`);
};

const faultsOf = (checks: readonly Checked<unknown>[]): string[] => checks.flatMap(({ fault = [] }) => fault);

type Checked<Answer> = { readonly answer: Answer | undefined; readonly fault: string | undefined };

/** Health is public, so only the messages of our own errors are shown. */
const faultOf = (service: string, error: unknown): string =>
  error instanceof ProviderError ? error.message : `${service} cannot be checked`;

/** Why DCM refuses the registrations of these services in the target. */
const refusedRegistrations = async (
  { registrations, providerNameOf }: Parts,
  target: NamedTarget,
  services: readonly CheckedService[],
): Promise<string[]> => {
  const names = services.map(({ serviceType }) => providerNameOf(target, serviceType));
  const read = await registrations.read(names);
  return names.flatMap((name) => {
    const { outcome, detail } = read.get(name) ?? {};
    return outcome === 'refused' ? [`DCM refuses the registration: ${detail}`] : [];
  });
};

const checkQueue = async ({ backlog }: Parts): Promise<void> => {
  const seconds = Math.floor(await backlog());
  if (seconds > longestBacklogSeconds)
    throw new UnavailableError(`a message waits in the observations queue for ${seconds} s`);
};

/** The reason can name servers of a private network, so it is logged and not answered. */
const checkNats = async ({ nats, log }: Parts): Promise<void> => {
  const state = await nats();
  if (state.connected && state.unreadableRequests === undefined) return;
  if (state.connected) {
    log.warn('requests to environment agents cannot be read', { reason: state.unreadableRequests });
    throw new UnavailableError('the requests to environment agents cannot be read from NATS');
  }
  log.warn('NATS does not take statuses', { reason: state.reason });
  throw new UnavailableError('NATS does not take statuses');
};

const detailOf = (faults: readonly string[], refusals: readonly string[]): { detail?: string } => {
  const details = [...faults, ...refusals];
  return details.length === 0 ? {} : { detail: details.join('; ') };
};

type QueueDelayParts = {
  readonly heartbeats: Omit<Heartbeats, 'processed'>;
  readonly observations: Observations;
  /** Region of the queue. */
  readonly homeRegion: string;
  readonly now: Clock;
};

/** At most one heartbeat in this time, however many health checks there are. */
const everySeconds = 60;

/**
 * The delay of the observations queue, measured without receiving from it: at most once a minute a heartbeat is sent through it, and the
 * normaliser records that it was processed. While one is unprocessed, the delay is its age, and another is sent each minute, in case one
 * was lost.
 */
export const queueDelay =
  ({ heartbeats, observations, homeRegion, now }: QueueDelayParts): Backlog =>
  async () => {
    const at = Math.floor(now() / 1000);
    const known = await heartbeats.read();
    const isWaiting = known.waitingSince > known.processedAt;
    const next = { sentAt: at, waitingSince: isWaiting ? known.waitingSince : at };
    if (at - known.sentAt >= everySeconds && (await heartbeats.claim(next, known.sentAt)))
      await observations.send([heartbeatEvent(at, { region: homeRegion, account: '' })]);
    return isWaiting ? at - known.waitingSince : 0;
  };
