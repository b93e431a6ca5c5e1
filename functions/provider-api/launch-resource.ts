import {
  CapacityError,
  FailedPreconditionError,
  InvalidArgumentError,
  ProviderError,
  RefusedRoleError,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UnsendableError,
  UpstreamError,
} from '../../shared/core/errors.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import {
  type Facts,
  isLaunched,
  type LaunchedRecord,
  type ResourceRecord,
} from '../../shared/core/record.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { DescribedResource, DescribedResources } from '../../shared/ports/described-resources.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { clientToken, isLaunchedByUs } from '../../shared/service-types/client-token.ts';
import { isLivingState, type Launched, type Lifecycle } from './lifecycle.ts';
import { withTimeout } from './timeout.ts';

type Asked<Spec> = {
  readonly spec: Spec;
  readonly requestId: string;
  /** Milliseconds since 1970. After it, nothing is started any more. */
  readonly deadlineMs: number;
};

type Parts<Spec, Launch, Known extends Facts> = {
  readonly records: Pick<Records<Launch, Known>, 'attempt' | 'launched' | 'abandon'>;
  readonly type: Pick<
    Lifecycle<Spec, Launch, Known, never, never>,
    'format' | 'service' | 'plan' | 'placements' | 'run' | 'searchesFirst' | 'terminate' | 'discard'
  >;
  /** Finds what an earlier request has launched. */
  readonly orphanOf: (
    creation: ResourceRecord<Launch, Known>,
  ) => Promise<LaunchedRecord<Launch, Known> | undefined>;
  /** Whether what the record names still is the resource. */
  readonly isStillIt: (record: LaunchedRecord<Launch, Known>) => Promise<boolean>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Launches the resource of a record whose lease the caller holds: exactly one, since every step is recorded before it is taken. Each
 * placement of the plan has a client token of its own.
 * @returns undefined where another request has taken the lease, or where the service can never accept the plan of an earlier request: that
 * plan is deleted, and the caller begins again with its own spec.
 * @throws UnavailableError, UpstreamError, ThrottledError where the outcome is unknown: the next request asks for the same resource.
 * All other errors are refusals, after which the id is free again.
 */
export const launchResource = <Spec, Launch, Known extends Facts>(parts: Parts<Spec, Launch, Known>) => {
  const { records, type, orphanOf, isStillIt, provider, now, log } = parts;
  type Found = ResourceRecord<Launch, Known>;
  type LaunchedAs = LaunchedRecord<Launch, Known>;

  return async (leased: Found, asked: Asked<Spec>): Promise<LaunchedAs | undefined> =>
    attempt(leased, await planOf(leased, asked), leased.attempt, asked);

  /** A recorded plan is kept: a resource may have been launched for it. */
  async function planOf(leased: Found, { spec, requestId, deadlineMs }: Asked<Spec>): Promise<Launch> {
    if (leased.launch !== undefined) return leased.launch;
    const { dcmId, generation } = leased;
    try {
      const planned = type.plan(spec, { dcmId, ...targetOfKey(leased.region), requestId, generation });
      return await withTimeout(deadlineMs - now(), 'planning', planned);
    } catch (error) {
      if (error instanceof ProviderError) await records.abandon(leased);
      throw error;
    }
  }

  /** Asks the service for the placement with this number, and for the next one where there is no capacity. */
  async function attempt(
    leased: Found,
    plan: Launch,
    number: number,
    asked: Asked<Spec>,
  ): Promise<LaunchedAs | undefined> {
    const attempted = await records.attempt(leased, plan, number);
    if (!attempted) return undefined;
    const refuse = (reason: ProviderError) => refused(attempted, leased, reason);
    if (attempted.deleteRequestedAtMs !== undefined) return refuse(deletedMeanwhile(leased));
    const earlier = await foundFirst(attempted, leased);
    if (earlier) return earlier;
    const answer = await run(attempted, plan, asked.deadlineMs).catch(definiteRefusal);
    if (!(answer instanceof ProviderError)) return launched(attempted, answer);
    const hasNext = answer instanceof CapacityError && number + 1 < type.placements(plan);
    return hasNext ? attempt(leased, plan, number + 1, asked) : refuse(answer);
  }

  async function foundFirst(attempted: Found, leased: Found): Promise<LaunchedAs | undefined> {
    return type.searchesFirst ? orphanOfEarlier(attempted, leased) : undefined;
  }

  async function run(attempted: Found, plan: Launch, deadlineMs: number): Promise<Launched<Known>> {
    const remainingMs = deadlineMs - now();
    if (attempted.attempt >= type.placements(plan) || remainingMs <= 0)
      throw new UnavailableError(`there was no time left to launch ${attempted.dcmId}; retry the request`);
    const launching = type.run(plan, attempted.attempt, clientToken(provider, attempted));
    return withTimeout(remainingMs, type.service, launching);
  }

  async function launched(
    attempted: Found,
    { resourceId, account, facts: seen }: Launched<Known>,
  ): Promise<LaunchedAs | undefined> {
    const { dcmId, region } = attempted;
    const facts = type.format.factsOf(attempted, { ...seen, launchedAtMs: seen.launchedAtMs || now() });
    const record = await records.launched(attempted, { dcmId, region, resourceId, account, facts });
    if (record && isLaunched(record)) return record;
    log.warn('a resource was launched too late to become the one of its id, and is terminated', {
      ...{ dcmId, resourceId },
    });
    const late = { ...attempted, resourceId, account, facts, adopted: false };
    if (await isStillIt(late)) await (type.discard ?? type.terminate)(late);
    return undefined;
  }

  /** The service may have granted an earlier request, whose answer was lost, what it refuses now: that resource is looked for first. */
  async function refused(
    attempted: Found,
    leased: Found,
    reason: ProviderError,
  ): Promise<LaunchedAs | undefined> {
    const orphan = await orphanOfEarlier(attempted, leased);
    if (orphan) return orphan;
    await records.abandon(attempted);
    if (leased.launch !== undefined && isAboutThePlan(reason)) return undefined;
    throw reason;
  }

  /** What an earlier request, which may have asked the service for this attempt already, has launched. */
  async function orphanOfEarlier(attempted: Found, leased: Found): Promise<LaunchedAs | undefined> {
    const wasAskedBefore = leased.launch !== undefined && leased.attempt === attempted.attempt;
    return wasAskedBefore ? orphanOf(attempted) : undefined;
  }
};

/** The service refuses this plan whenever it is asked; another plan may be accepted. */
const isAboutThePlan = (reason: ProviderError): boolean =>
  reason instanceof InvalidArgumentError ||
  reason instanceof UnprocessableError ||
  reason instanceof UnsendableError;

const deletedMeanwhile = ({ dcmId }: ResourceRecord) =>
  new FailedPreconditionError(`${dcmId} was deleted while it was being created`);

/**
 * The error, where it proves that nothing was launched; other errors are thrown again. AWS throttles before it looks at the client token,
 * so a throttled request says nothing about an earlier one whose answer was lost.
 */
const definiteRefusal = (error: unknown): ProviderError => {
  const isUnknown =
    error instanceof UnavailableError || error instanceof UpstreamError || error instanceof ThrottledError;
  if (error instanceof RefusedRoleError || (error instanceof ProviderError && !isUnknown)) return error;
  throw error;
};

const listTimeoutMs = 3_000;

type SearchParts<Launch, Known extends Facts, Seen extends DescribedResource> = {
  readonly records: Pick<Records<Launch, Known>, 'read' | 'adopt'>;
  readonly resources: Pick<DescribedResources<Seen>, 'list'>;
  readonly type: Pick<Lifecycle<never, Launch, Known, never, Seen>, 'format' | 'factsSeen'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

/**
 * Looks, by the tags, for the orphan of a creation: a resource that was launched and not recorded, because the request ended in between.
 * Records it. Accepts only resources that this provider launched, since others can write the same tags.
 * @returns the record with the resource; undefined where the service has none, or was never asked for one.
 */
export const findOrphan = <Launch, Known extends Facts, Seen extends DescribedResource>({
  records,
  resources,
  type,
  provider,
  tagKeys,
}: SearchParts<Launch, Known, Seen>) => {
  const search = async (creation: ResourceRecord, token?: string): Promise<Seen | undefined> => {
    const { dcmId } = creation;
    const target = targetOfKey(creation.region);
    const tag = { key: tagKeys.instanceId, value: dcmId };
    const page = await resources.list({ target, tag, token, timeoutMs: listTimeoutMs });
    const found = page.resources.find(
      ({ tags, state, clientToken }) =>
        isLivingState(type.format.kind, state) &&
        dcmIdOf(tags, tagKeys, provider) === dcmId &&
        isLaunchedByUs(provider, creation, clientToken),
    );
    return found ?? (page.nextToken ? search(creation, page.nextToken) : undefined);
  };

  return async (
    creation: ResourceRecord<Launch, Known>,
  ): Promise<LaunchedRecord<Launch, Known> | undefined> => {
    const { dcmId, region, launch } = creation;
    const seen = launch && (await search(creation));
    if (!seen) return undefined;
    const { resourceId, account } = seen;
    const facts = type.factsSeen(seen);
    await records.adopt({ dcmId, region, resourceId, account, facts, adopted: false });
    const record = await records.read(dcmId);
    return record && isLaunched(record) ? record : undefined;
  };
};
