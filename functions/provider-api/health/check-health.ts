import { LRUCache } from 'lru-cache';
import { NotFoundError, ProviderError, UnavailableError } from '../../../shared/core/errors.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Backlog, Ec2Probe, FirstAnswer, NatsProbe } from '../../../shared/ports/health-probes.ts';
import type { Heartbeats } from '../../../shared/ports/heartbeats.ts';
import type { Observations } from '../../../shared/ports/observations.ts';
import type { Registration, Registrations } from '../../../shared/ports/registrations.ts';
import type { Log } from '../../../shared/ports/telemetry.ts';
import type { Health } from '../../../shared/wire/health.ts';
import { heartbeatEvent } from '../../../shared/wire/heartbeat.ts';
import { within } from '../timeout.ts';

type Parts = {
  readonly ec2: Ec2Probe;
  readonly backlog: Backlog;
  readonly nats: NatsProbe;
  readonly registrations: Pick<Registrations, 'recall'>;
  readonly firstAnswer: FirstAnswer;
  /** Where VMs can be created. */
  readonly regions: readonly string[];
  /** The provider row of a region at DCM. */
  readonly rowNameOf: (region: string) => string;
  readonly version: string;
  readonly now: Clock;
  readonly log: Log;
  /** Of each check. @default 2,500 */
  readonly timeoutMs?: number;
};

/** DCM polls every 10 s; anybody may. */
const keepHealthyMs = 5_000;
/** Nothing healthy leaves a message waiting as long: the normaliser's retries are 60 s apart at most. */
const longestBacklogSeconds = 300;

/**
 * How the provider of one region is: well where EC2, the fleet, the observations queue and NATS are. All of them are asked at once. Only
 * `healthy` is remembered, so the next poll sees a recovery. A registration that DCM refuses is told, and makes nothing unhealthy: the
 * VMs there are still need their statuses.
 * @throws NotFoundError, at once, for a region where no VMs are created; nothing else.
 */
export const checkHealth = (parts: Parts): ((region: string) => Promise<Health>) => {
  const { version, regions, firstAnswer, now, log, timeoutMs = 2_500 } = parts;
  const startedAt = Math.floor(now() / 1000);

  const ask = async (region: string): Promise<Health> => {
    const boxed = <Answer>(who: string, asked: Promise<Answer>) =>
      within(timeoutMs, who, asked).then(
        (answer): Checked<Answer> => ({ answer, fault: undefined }),
        (error: unknown): Checked<Answer> => ({ answer: undefined, fault: faultOf(who, error) }),
      );
    const [since, registration, ...others] = await Promise.all([
      within(timeoutMs, 'the fleet table', firstAnswer(version)).catch(() => startedAt),
      boxed('the fleet table', registrationOf(parts, region)),
      boxed(`EC2 in ${region}`, parts.ec2(region)),
      boxed('the observations queue', queueMoves(parts)),
      boxed('NATS', natsTakes(parts)),
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

  const checks = new LRUCache<string, Health>({
    ...{ max: Math.max(1, regions.length), ttl: keepHealthyMs, ttlResolution: 0, perf: { now } },
    fetchMethod: ask,
  });
  return async (region) => {
    if (!regions.includes(region)) throw new NotFoundError(`no VMs are created in ${region}`);
    const health = await checks.forceFetch(region);
    if (health.status !== 'healthy') checks.delete(region);
    return health;
  };
};

type Checked<Answer> = { readonly answer: Answer | undefined; readonly fault: string | undefined };

/** In words that anybody may read, for health is public: those of our own errors. */
const faultOf = (who: string, error: unknown): string =>
  error instanceof ProviderError ? error.message : `${who} cannot be checked`;

const registrationOf = async ({ registrations, rowNameOf }: Parts, region: string) => {
  const rowName = rowNameOf(region);
  return (await registrations.recall([rowName])).get(rowName);
};

const queueMoves = async ({ backlog }: Parts): Promise<void> => {
  const seconds = Math.floor(await backlog());
  if (seconds > longestBacklogSeconds)
    throw new UnavailableError(`a message waits in the observations queue for ${seconds} s`);
};

/** The reason may name servers of a private network, so it goes to the log alone. */
const natsTakes = async ({ nats, log }: Parts): Promise<void> => {
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
  const told = [...faults, ...refusals];
  return told.length === 0 ? {} : { detail: told.join('; ') };
};

type QueueDelayParts = {
  readonly heartbeats: Omit<Heartbeats, 'processed'>;
  readonly observations: Observations;
  /** Where the queue is. */
  readonly homeRegion: string;
  readonly now: Clock;
};

/** At most, however many ask for the health; a lost one delays the next for as long. */
const everySeconds = 60;

/**
 * How long the observations queue takes, found without receiving from it: at most once a minute one heartbeat is sent through it, which
 * the normaliser writes down. While one is unprocessed, the queue's delay is its age, and another is sent each minute, in case it was lost.
 */
export const queueDelay =
  ({ heartbeats, observations, homeRegion, now }: QueueDelayParts): Backlog =>
  async () => {
    const at = Math.floor(now() / 1000);
    const known = await heartbeats.recall();
    const isWaiting = known.waitingSince > known.processedAt;
    const next = { sentAt: at, waitingSince: isWaiting ? known.waitingSince : at };
    if (at - known.sentAt >= everySeconds && (await heartbeats.claim(next, known.sentAt)))
      await observations.send([heartbeatEvent(at, { region: homeRegion, account: '' })]);
    return isWaiting ? at - known.waitingSince : 0;
  };
