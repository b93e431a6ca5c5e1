import { FailedPreconditionError, NotFoundError, UnavailableError } from '../../shared/core/errors.ts';
import { type TagKeys, vmIdOf } from '../../shared/core/ownership.ts';
import type { LaunchedRecord } from '../../shared/core/record.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Instance, Instances } from '../../shared/ports/instances.ts';
import { isRecentlyLaunched } from '../../shared/service-types/vm/kind.ts';
import { isLaunchedByUs } from '../../shared/service-types/vm/launch.ts';
import type { InstanceActions } from '../../shared/service-types/vm/ports.ts';
import type { About } from '../../shared/wire/own-messages.ts';

/** DCM waits ten seconds for the answer, and the call that changes the instance needs some of them. */
const describeTimeoutMs = 2_000;

export type CheckParts = {
  readonly instances: Pick<Instances, 'describe'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
  /** Whether instances that this provider did not launch may be changed. */
  readonly changeAdopted: boolean;
  readonly now: Clock;
};

type Checked = Pick<
  LaunchedRecord,
  'vmId' | 'generation' | 'region' | 'instanceId' | 'account' | 'facts' | 'adopted'
>;

/**
 * Asks EC2, right before an instance is changed, whether it still is the VM: by the DCM id in its tags, its account, and whether this
 * provider launched it. False where the VM has no instance any more: EC2 does not know it, or its tags say something else.
 *
 * DescribeInstances may not show an instance, or its tags, for some seconds after the launch: in the first two minutes the record of the
 * launch, and the client token where the instance is shown, decide.
 * @throws FailedPreconditionError where the instance was not launched by this provider, and the settings do not allow to change such;
 * UnavailableError where EC2 did not answer.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const checkInstance = ({ instances, provider, tagKeys, changeAdopted, now }: CheckParts) => {
  return async (vm: Checked): Promise<boolean> => {
    const { region, instanceId } = vm;
    const seen = (await instances.describe(region, [instanceId], describeTimeoutMs)).get(instanceId);
    if (seen ? !carriesItsId(vm, seen) : !isRecentlyLaunched(vm.facts.launchedAtMs, now())) return false;
    if (changeAdopted || isOurLaunch(vm, seen)) return true;
    if (seen) throw adoptedRefusal(vm);
    throw new UnavailableError(`EC2 in ${region} does not show ${instanceId} yet; try it again`);
  };

  function isOurLaunch({ adopted, ...vm }: Checked, seen: Instance | undefined): boolean {
    return adopted === false || isLaunchedByUs(provider, vm, seen?.clientToken);
  }

  function carriesItsId(vm: Checked, seen: Instance): boolean {
    if (seen.account !== vm.account) return false;
    const hasNoTagsYet =
      Object.keys(seen.tags).length === 0 && isRecentlyLaunched(vm.facts.launchedAtMs, now());
    return vmIdOf(seen.tags, tagKeys, provider) === vm.vmId || (hasNoTagsYet && isOurLaunch(vm, seen));
  }
};

/** Why an adopted instance is not changed. No retry helps: HTTP 409. */
export const adoptedRefusal = ({ vmId, instanceId }: Pick<Checked, 'vmId' | 'instanceId'>) =>
  new FailedPreconditionError(
    `VM ${vmId} is adopted: its instance ${instanceId} carries this provider's tags and was not launched by it, so it is reported and not changed; the setting provisioning.changeAdopted allows that`,
  );

/** Which instance the normaliser is told of, and by which request it came to that. */
export const aboutInstance = (
  { instanceId, region, account }: LaunchedRecord,
  requestId: string,
): Omit<About, 'at'> => ({ 'instance-id': instanceId, region, account, 'request-id': requestId });

export type TerminatingParts = {
  readonly actions: Pick<InstanceActions, 'terminate'>;
  readonly now: Clock;
};

type Doomed = { readonly instanceId: string; readonly region: string; readonly launchedAtMs: number };

/**
 * Has EC2 terminate an instance. Resolves also where it is gone.
 * @throws FailedPreconditionError where it is protected from termination; UnavailableError where EC2 does not know an instance yet that it
 * has only just launched: it would run for ever if that were taken for gone.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const terminateInstance =
  ({ actions, now }: TerminatingParts) =>
  async ({ instanceId, region, launchedAtMs }: Doomed): Promise<void> => {
    try {
      await actions.terminate(region, instanceId);
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      if (!isRecentlyLaunched(launchedAtMs, now())) return;
      const why = `EC2 does not know ${instanceId} yet, which it has only just launched; try it again`;
      throw new UnavailableError(why, { cause: error });
    }
  };
