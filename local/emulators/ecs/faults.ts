import * as z from 'zod';
import { type EventFaults, noEventFaults } from '../event-emitter.ts';
import { type Call, JsonApiError } from '../json-api.ts';
import { neverAnswer, type Outage, type Place } from '../places.ts';
import type { Random } from '../random.ts';
import type { CallRate } from './limits.ts';

/** Faults that the emulator can inject. */
export type Faults = EventFaults & {
  /** The service is out of order: it answers ServiceUnavailable, or not at all. */
  readonly outage: Outage | undefined;
  /** Probability that a call is refused with ThrottlingException. */
  readonly throttle: number;
  /** Rates of calls, by operation; a call above its rate is refused with ThrottlingException. @see documentedCallRates */
  readonly callRates: Readonly<Record<string, CallRate>>;
  /** Errors that every call of an operation gets. */
  readonly refuse: Readonly<Record<string, Refusal>>;
  /** The caller may not call TagResource: refuses every request with tags. */
  readonly refuseTags: boolean;
  /** What RunTask has no capacity for: a capacity provider, a zone, or a provider in a zone. Answered with 200 and `failures`. */
  readonly noCapacity: readonly { readonly capacityProvider?: string; readonly zone?: string }[];
  /** Limit of the vCPUs of a region's on-demand tasks that have not stopped. Answered with 200 and `failures`. */
  readonly vcpuLimit: number;
  /** New tasks fail to start with this reason, because they get no network interface. */
  readonly failInterfaces: string | undefined;
  /** Probability that a ListTasks or DescribeTasks call fails with ServerException. */
  readonly failReads: number;
  /** Probability that RegisterTaskDefinition fails, as where another request registers the same family. */
  readonly failRegistrations: number;
  /** ListTasks answers one empty page. DescribeTasks still finds tasks. */
  readonly emptyListings: boolean;
  /** Share of the tasks that ListTasks does not find: always the same ones, and more of them for a larger share. */
  readonly partialListings: number;
};

export const noFaults: Faults = {
  ...noEventFaults,
  outage: undefined,
  throttle: 0,
  callRates: {},
  refuse: {},
  refuseTags: false,
  noCapacity: [],
  vcpuLimit: Number.POSITIVE_INFINITY,
  failInterfaces: undefined,
  failReads: 0,
  failRegistrations: 0,
  emptyListings: false,
  partialListings: 0,
};

/** @see https://docs.aws.amazon.com/AmazonECS/latest/APIReference/CommonErrors.html */
const refusals = {
  AccessDeniedException: [400, 'You are not authorized to perform this operation.'],
  BlockedException: [400, 'Your account was blocked. Contact AWS Support for more information.'],
  ClientException: [400, 'The request is not valid.'],
  PlatformUnknownException: [400, 'The specified platform version does not exist.'],
  ServerException: [500, 'Service Unavailable. Please try again later.'],
  ServiceUnavailable: [503, 'The request has failed due to a temporary failure of the server.'],
  UnsupportedFeatureException: [400, "The specified task isn't supported in this Region."],
} as const satisfies Record<string, readonly [JsonApiError['status'], string]>;

/** An error that every call of an operation can get. */
export type Refusal = keyof typeof refusals;

const Tagged = z.object({ tags: z.array(z.unknown()).min(1) });

/** @throws JsonApiError where a request has tags, and the fault `refuseTags` is set. */
export const checkTags = (input: unknown, { refuseTags }: Faults): void => {
  if (!refuseTags || !Tagged.safeParse(input).success) return;
  throw new JsonApiError(
    'AccessDeniedException',
    'User: arn:aws:sts::123456789012:assumed-role/local/local is not authorized to perform: ecs:TagResource',
  );
};

type Admission = { readonly faults: (place: Place) => Faults; readonly random: Random };

/** A check for each call, before it is handled. It rejects with a JsonApiError where a fault refuses the call. */
export const admission = ({ faults, random }: Admission) => {
  const buckets = new Map<string, { tokens: number; atMs: number }>();
  const isAboveRate = (key: string, rate: CallRate | undefined): boolean => {
    if (rate === undefined) return false;
    const nowMs = performance.now();
    const { tokens, atMs } = buckets.get(key) ?? { tokens: rate.burst, atMs: nowMs };
    const filled = Math.min(rate.burst, tokens + ((nowMs - atMs) / 1000) * rate.perSecond);
    buckets.set(key, { tokens: Math.max(0, filled - 1), atMs: nowMs });
    return filled < 1;
  };
  const happens = (probability: number) => probability > 0 && random() < probability;

  const injectedError = (operation: string, place: Place): JsonApiError | undefined => {
    const { outage, refuse, failReads, failRegistrations } = faults(place);
    if (operation === 'RegisterTaskDefinition' && happens(failRegistrations)) return concurrentRegistration();
    const isRead = operation === 'ListTasks' || operation === 'DescribeTasks';
    const code =
      (outage && 'ServiceUnavailable') ??
      refuse[operation] ??
      (isRead && happens(failReads) ? 'ServerException' : undefined);
    if (code === undefined) return undefined;
    const [status, message] = refusals[code];
    return new JsonApiError(code, message, { status });
  };

  return async ({ operation, region, caller: { account } }: Call): Promise<void> => {
    const place = { account, region };
    const { outage, throttle, callRates } = faults(place);
    if (outage === 'hangs') await neverAnswer();
    if (happens(throttle) || isAboveRate(`${account} ${region} ${operation}`, callRates[operation])) {
      throw new JsonApiError('ThrottlingException', 'Rate exceeded');
    }
    const error = injectedError(operation, place);
    if (error) throw error;
  };
};

const concurrentRegistration = (): JsonApiError =>
  new JsonApiError(
    'ClientException',
    'Too many concurrent attempts to create a new revision of the specified family.',
  );
