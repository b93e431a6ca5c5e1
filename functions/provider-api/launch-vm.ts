import {
  CapacityError,
  FailedPreconditionError,
  InvalidArgumentError,
  ProviderError,
  ThrottledError,
  UnavailableError,
  UnprocessableError,
  UnsendableError,
  UpstreamError,
} from '../../shared/core/errors.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import { isLaunched } from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { clientToken, isLaunchedByUs } from '../../shared/service-types/client-token.ts';
import type { LaunchPlan } from '../../shared/service-types/vm/launch.ts';
import type {
  Instance,
  InstanceActions,
  Instances,
  LaunchedInstance,
} from '../../shared/service-types/vm/ports.ts';
import {
  factsOf,
  factsSeen,
  type LaunchedVmRecord,
  type VmRecord,
  type VmRecords,
} from '../../shared/service-types/vm/record.ts';
import type { VmSpec } from '../../shared/service-types/vm/spec.ts';
import type { checkInstance, terminateInstance } from './check-instance.ts';
import { withTimeout } from './timeout.ts';

type Asked = {
  readonly spec: VmSpec;
  readonly requestId: string;
  /** Milliseconds since 1970. After it, nothing is started any more. */
  readonly deadlineMs: number;
};

export type PlanLaunch = (
  spec: VmSpec,
  about: { readonly dcmId: string; readonly region: string; readonly requestId: string },
) => Promise<LaunchPlan>;

type Parts = {
  readonly records: Pick<VmRecords, 'attempt' | 'launched' | 'abandon'>;
  readonly actions: Pick<InstanceActions, 'run'>;
  readonly plan: PlanLaunch;
  readonly orphanOf: ReturnType<typeof findOrphan>;
  readonly isStillTheVm: ReturnType<typeof checkInstance>;
  readonly requestTermination: ReturnType<typeof terminateInstance>;
  /** Our name at DCM. */
  readonly provider: string;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Launches the instance of a VM whose lease the caller holds: exactly one, since every step is recorded before it is taken. Each placement
 * of the plan has a client token of its own.
 * @returns undefined where another request has taken the lease, or where EC2 can never accept the plan of an earlier request: that plan is
 * deleted, and the caller begins again with its own spec.
 * @throws UnavailableError, UpstreamError, ThrottledError where the outcome is unknown: the next request asks EC2 for the same instance.
 * All other errors are refusals, after which the id is free again.
 */
export const launchVm = (parts: Parts) => {
  const { records, actions, plan, orphanOf, isStillTheVm, requestTermination, provider, now, log } = parts;

  return async (leased: VmRecord, asked: Asked): Promise<LaunchedVmRecord | undefined> =>
    attempt(leased, await planOf(leased, asked), leased.attempt, asked);

  /** A recorded plan is kept: an instance may have been launched for it. */
  async function planOf(leased: VmRecord, { spec, requestId, deadlineMs }: Asked): Promise<LaunchPlan> {
    if (leased.launch) return leased.launch;
    const { dcmId, region } = leased;
    try {
      return await withTimeout(deadlineMs - now(), 'planning', plan(spec, { dcmId, region, requestId }));
    } catch (error) {
      if (error instanceof ProviderError) await records.abandon(leased);
      throw error;
    }
  }

  /** Asks EC2 for the placement with this number, and for the next one where there is no capacity. */
  async function attempt(
    leased: VmRecord,
    plan: LaunchPlan,
    number: number,
    asked: Asked,
  ): Promise<LaunchedVmRecord | undefined> {
    const attempted = await records.attempt(leased, plan, number);
    if (!attempted) return undefined;
    const refuse = (reason: ProviderError) => refused(attempted, leased, reason);
    if (attempted.deleteRequestedAtMs !== undefined) return refuse(deletedMeanwhile(leased));
    const answer = await run(attempted, plan, asked.deadlineMs).catch(definiteRefusal);
    if (!(answer instanceof ProviderError)) return launched(attempted, answer);
    const hasNext = answer instanceof CapacityError && plan.placements[number + 1] !== undefined;
    return hasNext ? attempt(leased, plan, number + 1, asked) : refuse(answer);
  }

  async function run(attempted: VmRecord, plan: LaunchPlan, deadlineMs: number): Promise<LaunchedInstance> {
    const placement = plan.placements[attempted.attempt];
    const remainingMs = deadlineMs - now();
    if (!placement || remainingMs <= 0)
      throw new UnavailableError(`there was no time left to launch ${attempted.dcmId}; retry the request`);
    const instance = actions.run(plan, placement, clientToken(provider, attempted));
    return withTimeout(remainingMs, 'EC2', instance);
  }

  async function launched(
    attempted: VmRecord,
    instance: LaunchedInstance,
  ): Promise<LaunchedVmRecord | undefined> {
    const { dcmId, region } = attempted;
    const { instanceId: resourceId, account, zone, privateAddress, isWindows } = instance;
    const launchedAtMs = instance.launchedAtMs || now();
    const facts = factsOf(attempted, { zone: zone || undefined, privateAddress, isWindows, launchedAtMs });
    const record = await records.launched(attempted, { dcmId, region, resourceId, account, facts });
    if (record && isLaunched(record)) return record;
    log.warn('an instance was launched too late to become the VM, and is terminated', { dcmId, resourceId });
    const late = { ...attempted, resourceId, account, facts, adopted: false };
    if (await isStillTheVm(late)) await requestTermination(late);
    return undefined;
  }

  /** EC2 may have granted an earlier request, whose answer was lost, what it refuses now: that instance is looked for first. */
  async function refused(
    attempted: VmRecord,
    leased: VmRecord,
    reason: ProviderError,
  ): Promise<LaunchedVmRecord | undefined> {
    const orphan = wasAskedBefore(leased, attempted.attempt) ? await orphanOf(attempted) : undefined;
    if (orphan) return orphan;
    await records.abandon(attempted);
    if (leased.launch !== undefined && isAboutThePlan(reason)) return undefined;
    throw reason;
  }
};

/** An earlier request may have asked EC2 for this attempt already. */
const wasAskedBefore = ({ launch, attempt }: VmRecord, number: number): boolean =>
  launch !== undefined && attempt === number;

/** EC2 refuses this plan whenever it is asked; another plan may be accepted. */
const isAboutThePlan = (reason: ProviderError): boolean =>
  reason instanceof InvalidArgumentError ||
  reason instanceof UnprocessableError ||
  reason instanceof UnsendableError;

const deletedMeanwhile = ({ dcmId }: VmRecord) =>
  new FailedPreconditionError(`${dcmId} was deleted while it was being created`);

/**
 * The error, where it proves that EC2 launched nothing; other errors are thrown again. EC2 throttles before it looks at the client token,
 * so a throttled request says nothing about an earlier one whose answer was lost.
 */
const definiteRefusal = (error: unknown): ProviderError => {
  const isUnknown =
    error instanceof UnavailableError || error instanceof UpstreamError || error instanceof ThrottledError;
  if (error instanceof ProviderError && !isUnknown) return error;
  throw error;
};

const listTimeoutMs = 3_000;

type SearchParts = {
  readonly records: Pick<VmRecords, 'read' | 'adopt'>;
  readonly instances: Pick<Instances, 'list'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

/**
 * Looks, by the tags, for the orphan of a creation: an instance that was launched and not recorded, because the request ended in between.
 * VmRecords it. Accepts only instances that this provider launched, since others can write the same tags.
 * @returns the record with the instance; undefined where EC2 has none, or was never asked for one.
 */
export const findOrphan = ({ records, instances, provider, tagKeys }: SearchParts) => {
  const search = async (creation: VmRecord, token?: string): Promise<Instance | undefined> => {
    const { region, dcmId } = creation;
    const tag = { key: tagKeys.instanceId, value: dcmId };
    const page = await instances.list({ target: { region }, tag, token, timeoutMs: listTimeoutMs });
    const found = page.resources.find(
      ({ tags, state, clientToken }) =>
        state !== 'shutting-down' &&
        state !== 'terminated' &&
        dcmIdOf(tags, tagKeys, provider) === dcmId &&
        isLaunchedByUs(provider, creation, clientToken),
    );
    return found ?? (page.nextToken ? search(creation, page.nextToken) : undefined);
  };

  return async (creation: VmRecord): Promise<LaunchedVmRecord | undefined> => {
    const { dcmId, region, launch } = creation;
    const instance = launch && (await search(creation));
    if (!instance) return undefined;
    const { resourceId: instanceId, account } = instance;
    await records.adopt({
      dcmId,
      region,
      resourceId: instanceId,
      account,
      facts: factsSeen(instance),
      adopted: false,
    });
    const record = await records.read(dcmId);
    return record && isLaunched(record) ? record : undefined;
  };
};
