import { FailedPreconditionError, NotFoundError, UnavailableError } from '../../shared/core/errors.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { isLaunchedByUs } from '../../shared/service-types/client-token.ts';
import { isRecentlyLaunched } from '../../shared/service-types/vm/kind.ts';
import type { Instance, InstanceActions, Instances } from '../../shared/service-types/vm/ports.ts';
import type { LaunchedVmRecord } from '../../shared/service-types/vm/record.ts';
import type { About } from '../../shared/wire/own-messages.ts';

/** DCM waits ten seconds for the answer, and the call that changes the instance needs some of them. */
const describeTimeoutMs = 2_000;

type CheckParts = {
  readonly instances: Pick<Instances, 'describe'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
  /** Whether instances that this provider did not launch may be changed. */
  readonly changeAdopted: boolean;
  readonly now: Clock;
};

type Checked = Pick<
  LaunchedVmRecord,
  'dcmId' | 'generation' | 'region' | 'resourceId' | 'account' | 'facts' | 'adopted'
>;

/**
 * Asks EC2, right before an instance is changed, whether the instance still is the VM: by its DCM id tag, its account, and whether this
 * provider launched it. False where EC2 does not know the instance, or its tags name another VM.
 *
 * DescribeInstances may not show an instance, or its tags, for some seconds after the launch. In the first two minutes the record of the
 * launch decides, and the client token where the instance is shown.
 * @throws FailedPreconditionError where this provider did not launch the instance, and the settings do not allow changing it;
 * UnavailableError where EC2 did not answer.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const checkInstance = ({ instances, provider, tagKeys, changeAdopted, now }: CheckParts) => {
  return async (vm: Checked): Promise<boolean> => {
    const { region, resourceId } = vm;
    const seen = (await instances.describe({ region }, [resourceId], describeTimeoutMs)).get(resourceId);
    if (seen ? !hasIdOf(vm, seen) : !isRecentlyLaunched(vm.facts.launchedAtMs, now())) return false;
    if (changeAdopted || isOurLaunch(vm, seen)) return true;
    if (seen) throw adoptedRefusal(vm);
    throw new UnavailableError(`EC2 in ${region} does not show ${resourceId} yet; retry the request`);
  };

  function isOurLaunch({ adopted, ...vm }: Checked, seen: Instance | undefined): boolean {
    return adopted === false || isLaunchedByUs(provider, vm, seen?.clientToken);
  }

  function hasIdOf(vm: Checked, seen: Instance): boolean {
    if (seen.account !== vm.account) return false;
    const hasNoTagsYet =
      Object.keys(seen.tags).length === 0 && isRecentlyLaunched(vm.facts.launchedAtMs, now());
    return dcmIdOf(seen.tags, tagKeys, provider) === vm.dcmId || (hasNoTagsYet && isOurLaunch(vm, seen));
  }
};

/** @returns a check that throws FailedPreconditionError for a record of an adopted instance, where the settings do not allow changing it. */
export const refuseAdopted =
  ({ changeAdopted }: Pick<CheckParts, 'changeAdopted'>) =>
  (record: LaunchedVmRecord): void => {
    if (record.adopted && !changeAdopted) throw adoptedRefusal(record);
  };

const adoptedRefusal = ({ dcmId, resourceId }: Pick<Checked, 'dcmId' | 'resourceId'>) =>
  new FailedPreconditionError(
    `VM ${dcmId} is adopted: its instance ${resourceId} has this provider's tags, but was not launched by this provider, so it is reported and not changed; the setting provisioning.changeAdopted allows changing it`,
  );

/** The head of an observation that is queued for the normaliser after a request changed the instance. */
export const aboutInstance = (
  { resourceId, region, account }: LaunchedVmRecord,
  requestId: string,
): Omit<About, 'at'> => ({ 'instance-id': resourceId, region, account, 'request-id': requestId });

type TerminatingParts = {
  readonly actions: Pick<InstanceActions, 'terminate'>;
  readonly now: Clock;
};

/**
 * Terminates an instance. Resolves also where it is terminated already.
 * @throws FailedPreconditionError where it has termination protection; UnavailableError where EC2 does not know an instance that was just
 * launched: taken as terminated, it would run on unnoticed.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const terminateInstance =
  ({ actions, now }: TerminatingParts) =>
  async ({
    resourceId,
    region,
    facts,
  }: Pick<LaunchedVmRecord, 'resourceId' | 'region' | 'facts'>): Promise<void> => {
    try {
      await actions.terminate({ region }, resourceId);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      if (!isRecentlyLaunched(facts.launchedAtMs, now())) return;
      const why = `EC2 does not know ${resourceId} yet, which was launched moments ago; retry the request`;
      throw new UnavailableError(why, { cause: error });
    }
  };
