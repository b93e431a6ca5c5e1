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
import { type TagKeys, vmIdOf } from '../../shared/core/ownership.ts';
import {
  factsOf,
  factsSeen,
  isLaunched,
  type LaunchedRecord,
  type VmRecord,
} from '../../shared/core/record.ts';
import type { Instance, Instances } from '../../shared/ports/instances.ts';
import type { VmRecords } from '../../shared/ports/records.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import { clientToken, isLaunchedByUs, type LaunchPlan } from '../../shared/service-types/vm/launch.ts';
import type { InstanceActions, LaunchedInstance } from '../../shared/service-types/vm/ports.ts';
import type { VmSpec } from '../../shared/service-types/vm/spec.ts';
import {
  type CheckParts,
  checkInstance,
  type TerminatingParts,
  terminateInstance,
} from './check-instance.ts';
import { within } from './timeout.ts';

type Request = {
  readonly spec: VmSpec;
  readonly requestId: string;
  /** Milliseconds since 1970; nothing is begun after it. */
  readonly deadlineMs: number;
};

export type LaunchParts = SearchParts & { readonly log: Log } & CheckParts &
  TerminatingParts & {
    readonly records: Pick<VmRecords, 'attempt' | 'launched' | 'abandon'>;
    readonly actions: Pick<InstanceActions, 'run'>;
    readonly plan: (
      spec: VmSpec,
      about: { readonly vmId: string; readonly region: string; readonly requestId: string },
    ) => Promise<LaunchPlan>;
  };

/**
 * Gets the instance of a VM whose creation is in the caller's hands: exactly one, whatever crashes, for every step is noted before it is
 * taken. Each placement is asked for under a client token of its own.
 * @returns undefined where somebody else has taken the creation over, or where EC2 can never accept the plan of an earlier request: that
 * plan is deleted, and the caller begins again with its own spec.
 * @throws UnavailableError, UpstreamError, ThrottledError where it is unknown what became of it: the next caller asks for the same
 * instance. All other errors are refusals, after which the id is free.
 */
export const launchVm = (parts: LaunchParts) => {
  const { records, actions, provider, now, log } = parts;
  const orphan = orphanedInstance(parts);
  const terminate = terminateInstance(parts);
  const isItsInstance = checkInstance(parts);

  return async (mine: VmRecord, request: Request): Promise<LaunchedRecord | undefined> =>
    attempt(mine, await planOf(mine, request), mine.attempt, request);

  /** What was planned before stands: an instance may have been launched for it. */
  async function planOf(mine: VmRecord, { spec, requestId, deadlineMs }: Request): Promise<LaunchPlan> {
    if (mine.launch) return mine.launch;
    const { vmId, region } = mine;
    try {
      const planned = parts.plan(spec, { vmId, region, requestId });
      return await within(deadlineMs - now(), 'planning', planned);
    } catch (error) {
      if (error instanceof ProviderError) await records.abandon(mine);
      throw error;
    }
  }

  async function attempt(
    mine: VmRecord,
    plan: LaunchPlan,
    number: number,
    request: Request,
  ): Promise<LaunchedRecord | undefined> {
    const noted = await records.attempt(mine, plan, number);
    if (!noted) return undefined;
    const isEarlierPlan = mine.launch !== undefined;
    const end = (why: unknown) =>
      giveUp(noted, { wasAsked: wasAskedBefore(mine, number), isEarlierPlan }, why);
    if (noted.deleteRequestedAtMs !== undefined) return end(deletedMeanwhile(mine));
    const answer = await ask(noted, plan, request.deadlineMs).catch(refusalOf);
    if (!(answer instanceof ProviderError)) return note(noted, answer);
    const mayTryNext = answer instanceof CapacityError && plan.placements[number + 1] !== undefined;
    return mayTryNext ? attempt(mine, plan, number + 1, request) : end(answer);
  }

  async function ask(noted: VmRecord, plan: LaunchPlan, deadlineMs: number): Promise<LaunchedInstance> {
    const placement = plan.placements[noted.attempt];
    const remainingMs = deadlineMs - now();
    if (!placement || remainingMs <= 0)
      throw new UnavailableError(`there was no time left to launch ${noted.vmId}; try it again`);
    return within(remainingMs, 'EC2', actions.run(plan, placement, clientToken(provider, noted)));
  }

  async function note(noted: VmRecord, instance: LaunchedInstance): Promise<LaunchedRecord | undefined> {
    const { vmId, region } = noted;
    const { instanceId, account, zone, privateAddress, isWindows } = instance;
    const launchedAtMs = instance.launchedAtMs || now();
    const facts = factsOf(noted, { zone: zone || undefined, privateAddress, isWindows, launchedAtMs });
    const record = await records.launched(noted, { vmId, region, instanceId, account, facts });
    if (record && isLaunched(record)) return record;
    log.warn('an instance came too late to be the VM, and is terminated', { vmId, instanceId });
    const late = { ...noted, instanceId, account, facts, adopted: false };
    if (await isItsInstance(late)) await terminate({ instanceId, region, launchedAtMs });
    return undefined;
  }

  /** What EC2 refuses the second time it may have granted the first time, whose answer was lost. */
  async function giveUp(
    noted: VmRecord,
    { wasAsked, isEarlierPlan }: { readonly wasAsked: boolean; readonly isEarlierPlan: boolean },
    why: unknown,
  ): Promise<LaunchedRecord | undefined> {
    const found = wasAsked ? await orphan(noted) : undefined;
    if (found) return found;
    await records.abandon(noted);
    if (isEarlierPlan && isAboutThePlan(why)) return undefined;
    throw why;
  }
};

/** By whoever had the creation in hand before. */
const wasAskedBefore = ({ launch, attempt }: VmRecord, number: number): boolean =>
  launch !== undefined && attempt === number;

/** Another plan may be accepted, whatever state EC2 is in. */
const isAboutThePlan = (why: unknown): boolean =>
  why instanceof InvalidArgumentError || why instanceof UnprocessableError || why instanceof UnsendableError;

const deletedMeanwhile = ({ vmId }: VmRecord) =>
  new FailedPreconditionError(`${vmId} was deleted while it was being created`);

/**
 * What says for sure that EC2 launched nothing; anything else is thrown on. EC2 throttles before it looks at the client token, so after an
 * attempt whose answer was lost, that the next one is throttled says nothing.
 */
const refusalOf = (error: unknown): ProviderError => {
  const isOpen =
    error instanceof UnavailableError || error instanceof UpstreamError || error instanceof ThrottledError;
  if (error instanceof ProviderError && !isOpen) return error;
  throw error;
};

const timeoutMs = 3_000;

export type SearchParts = {
  readonly records: Pick<VmRecords, 'read' | 'adopt'>;
  readonly instances: Pick<Instances, 'list'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

/**
 * Looks, by its tags, for the instance of a creation that crashed before it was noted, and notes it. Only one that this provider launched:
 * anybody who may tag instances can write the tags.
 * @returns the record with it; undefined where EC2 has none, or was never asked for one.
 */
export const orphanedInstance = ({ records, instances, provider, tagKeys }: SearchParts) => {
  const living = async (creation: VmRecord, token?: string): Promise<Instance | undefined> => {
    const { region, vmId } = creation;
    const tag = { key: tagKeys.instanceId, value: vmId };
    const page = await instances.list({ region, tag, token, timeoutMs: timeoutMs });
    const found = page.instances.find(
      ({ tags, state, clientToken }) =>
        state !== 'shutting-down' &&
        state !== 'terminated' &&
        vmIdOf(tags, tagKeys, provider) === vmId &&
        isLaunchedByUs(provider, creation, clientToken),
    );
    return found ?? (page.nextToken ? living(creation, page.nextToken) : undefined);
  };

  return async (creation: VmRecord): Promise<LaunchedRecord | undefined> => {
    const { vmId, region, launch } = creation;
    const instance = launch && (await living(creation));
    if (!instance) return undefined;
    const { instanceId, account } = instance;
    await records.adopt({ vmId, region, instanceId, account, facts: factsSeen(instance), adopted: false });
    const record = await records.read(vmId);
    return record && isLaunched(record) ? record : undefined;
  };
};
