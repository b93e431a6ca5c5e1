import { randomUUID } from 'node:crypto';
import type { APIGatewayProxyEventV2, APIGatewayProxyStructuredResultV2 } from 'aws-lambda';
import * as z from 'zod/mini';
import { FailedPreconditionError, ProviderError } from '../../shared/core/errors.ts';
import type { ServiceType } from '../../shared/core/kind.ts';
import { type Target, targetKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import { type LaunchTrial, LaunchTrialRequest } from '../../shared/wire/inspection.ts';
import type { CollectionUseCases } from './use-cases.ts';

/** What the schedules invoke the provider-api with. No event of API Gateway has this field, so no HTTP request can be one. */
const ScheduledRequest = z.object({ do: z.enum(['complete-deletions', 'canary']) });
type ScheduledRequest = z.infer<typeof ScheduledRequest>;

const InternalRequest = z.union([ScheduledRequest, LaunchTrialRequest]);

type EventParts = {
  readonly tryLaunch: (target: string) => Promise<LaunchTrial>;
  readonly http: (event: APIGatewayProxyEventV2) => Promise<APIGatewayProxyStructuredResultV2>;
  readonly completeDeletions: () => Promise<void>;
  readonly runCanary: () => Promise<void>;
};

/** Answers HTTP requests; for the schedules, completes recorded deletions, and runs the canary; for the doctor, tries a launch. */
export const handleEvent =
  ({ http, completeDeletions: complete, runCanary: run, tryLaunch }: EventParts) =>
  async (
    event: APIGatewayProxyEventV2 | ScheduledRequest | LaunchTrialRequest,
  ): Promise<APIGatewayProxyStructuredResultV2> => {
    if (!('do' in event)) return http(event);
    const request = InternalRequest.parse(event);
    if (request.do === 'try-launch')
      return { statusCode: 200, body: JSON.stringify(await tryLaunch(request.target)) };
    await (request.do === 'canary' ? run() : complete());
    return {};
  };

/** For one turn. Below the function's timeout, with time for the deletions that are under way. */
const turnMs = 15_000;
/** Longer than any request works on a deletion. */
const requestMs = 30_000;
/** Of one service type in one target; few, so that a turn leaves most of the account's request rate to others. */
const atOnce = 5;

type Parts = {
  /** The service types that are deployed, with the targets where their resources are created: elsewhere IAM allows no deletion. */
  readonly services: readonly { readonly serviceType: ServiceType; readonly targets: readonly Target[] }[];
  readonly deletionsIn: (
    target: Target,
  ) => Readonly<Record<ServiceType, CollectionUseCases<never, unknown, unknown>['deletions'] | undefined>>;
  readonly now: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Log;
  readonly meter: Meter;
};

/**
 * Completes the deletions that are recorded and that no request works on any more, because it was killed, or the service did not accept
 * the termination in time. In a random order, for 15 seconds at most; the next turn continues.
 *
 * A resource that refuses its deletion does not affect the others. Any other failure ends the turn for its service type and target, because
 * it mostly concerns all of them: throttling, an outage, a missing permission. Never rejects because of one.
 */
export const completeDeletions = ({ services, deletionsIn, now, random, log, meter }: Parts) => {
  return async (): Promise<void> => {
    const untilMs = now() + turnMs;
    const places = services.flatMap(({ serviceType, targets }) =>
      targets.map((target) => ({ serviceType, target })),
    );
    await Promise.all(
      places.map((place) => completeIn(place, untilMs).catch((error: unknown) => report(place, error))),
    );
  };

  async function completeIn({ serviceType, target }: Place, untilMs: number): Promise<void> {
    const deletions = deletionsIn(target)[serviceType];
    if (deletions === undefined) return;
    const due = shuffled(await deletions.requested(target, now() - requestMs), random);
    for (let next = 0; next < due.length && now() < untilMs; next += atOnce) {
      const attempts = due.slice(next, next + atOnce).map(async (dcmId) => {
        if (!(await deletions.complete(dcmId, randomUUID()).catch(refusalOf(dcmId)))) return;
        meter.count('deletionsCompleted');
        log.warn('a deletion was completed whose request had ended before', { serviceType, dcmId });
      });
      const outcomes = await Promise.allSettled(attempts);
      for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    }
  }

  function refusalOf(dcmId: string) {
    return (error: unknown): false => {
      if (!(error instanceof FailedPreconditionError)) throw error;
      meter.count('deletionsRefused');
      log.error('a recorded deletion was refused, and is withdrawn', { dcmId, error });
      return false;
    };
  }

  function report({ serviceType, target }: Place, error: unknown): void {
    const isTransient = error instanceof ProviderError && error.retryable;
    if (!isTransient) meter.count('deletionsRefused');
    log[isTransient ? 'warn' : 'error']('recorded deletions were not completed; the next turn continues', {
      ...{ serviceType, region: targetKey(target), error },
    });
  }
};

type Place = { readonly serviceType: ServiceType; readonly target: Target };

const shuffled = (ids: readonly string[], random: () => number): readonly string[] =>
  ids
    .map((id) => ({ id, place: random() }))
    .sort((one, other) => one.place - other.place)
    .map(({ id }) => id);
