import { LRUCache } from 'lru-cache';
import { NotFoundError, ProviderError, UnavailableError } from '../../../shared/core/errors.ts';
import { type Target, targetKey } from '../../../shared/core/target.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Backlog, Ec2Probe, FirstAnswer, NatsProbe } from '../../../shared/ports/health-probes.ts';
import type { Heartbeats } from '../../../shared/ports/heartbeats.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { Registration, Registrations } from '../../../shared/ports/registrations.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';
import type { Health } from '../../../shared/wire/health.ts';
import { heartbeatEvent } from '../../../shared/wire/heartbeat.ts';
import { withTimeout } from '../timeout.ts';

type Parts = {
  readonly ec2: Ec2Probe;
  readonly backlog: Backlog;
  readonly nats: NatsProbe;
  readonly registrations: Pick<Registrations, 'read'>;
  readonly firstAnswer: FirstAnswer;
  /** In which VMs can be created. */
  readonly targets: readonly Target[];
  /** Under which the VMs of a target are registered at DCM. */
  readonly providerNameOf: (target: Target) => string;
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

/**
 * The health of the provider in one target: `healthy` where EC2, the resource store, the observations queue and NATS answer, all asked at
 * once. Only `healthy` is cached, so that the next poll finds a recovery. A registration that DCM refuses is reported in `detail`, but
 * does not make the provider unhealthy, because the statuses of existing VMs are still published.
 * @throws NotFoundError, at once, for a target in which no VMs are created; nothing else.
 */
export const checkHealth = (parts: Parts): ((target: Target) => Promise<Health>) => {
  const { version, targets, firstAnswer, now, log, timeoutMs = 2_500 } = parts;
  const startedAt = Math.floor(now() / 1000);

  const checked = <Answer>(service: string, asked: Promise<Answer>) =>
    withTimeout(timeoutMs, service, asked).then(
      (answer): Checked<Answer> => ({ answer, fault: undefined }),
      (error: unknown): Checked<Answer> => ({ answer: undefined, fault: faultOf(service, error) }),
    );

  const check = async (target: Target): Promise<Health> => {
    const region = targetKey(target);
    const [since, registration, ...others] = await Promise.all([
      withTimeout(timeoutMs, 'the resource store', firstAnswer(version)).catch(() => startedAt),
      checked('the resource store', registrationOf(parts, target)),
      checked(`EC2 in ${region}`, parts.ec2(target)),
      checked('the observations queue', checkQueue(parts)),
      checked('NATS', checkNats(parts)),
    ]);
    const faults = [registration, ...others].flatMap(({ fault = [] }) => fault);
    if (faults.length > 0) log.warn('the provider is not healthy', { region, faults });
    return {
      status: faults.length > 0 ? 'unhealthy' : 'healthy',
      version,
      uptime: Math.max(0, Math.floor(now() / 1000) - since),
      type: 'ec2-sp.dcm.io/health',
      path: 'health',
      ...detailOf(faults, registration.answer),
    };
  };

  const checks = new LRUCache<string, Health, Target>({
    ...{ max: Math.max(1, targets.length), ttl: keepHealthyMs, ttlResolution: 0, perf: { now } },
    fetchMethod: (_key, _stale, { context }) => check(context),
  });
  const keys = new Set(targets.map(targetKey));
  return async (target) => {
    const key = targetKey(target);
    if (!keys.has(key)) throw new NotFoundError(`no VMs are created in ${key}`);
    const health = await checks.forceFetch(key, { context: target });
    if (health.status !== 'healthy') checks.delete(key);
    return health;
  };
};

type Checked<Answer> = { readonly answer: Answer | undefined; readonly fault: string | undefined };

/** Health is public, so only the messages of our own errors are shown. */
const faultOf = (service: string, error: unknown): string =>
  error instanceof ProviderError ? error.message : `${service} cannot be checked`;

const registrationOf = async ({ registrations, providerNameOf }: Parts, target: Target) => {
  const name = providerNameOf(target);
  return (await registrations.read([name])).get(name);
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

const detailOf = (faults: readonly string[], registration: Registration | undefined): { detail?: string } => {
  const refusals =
    registration?.outcome === 'refused' ? [`DCM refuses the registration: ${registration.detail}`] : [];
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
