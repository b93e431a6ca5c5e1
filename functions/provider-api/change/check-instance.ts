import { FailedPreconditionError, UnavailableError } from '../../../shared/domain/errors.ts';
import { isYoung } from '../../../shared/domain/instance.ts';
import { type TagKeys, vmIdOf } from '../../../shared/domain/tags.ts';
import type { LaunchedRecord } from '../../../shared/domain/vm-record.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { Instance, Instances } from '../../../shared/ports/instances.ts';
import { isLaunchedByUs } from '../../../shared/service-types/vm/launch-origin.ts';

/** DCM waits ten seconds for the answer, and the call that changes the instance needs some of them. */
const describeWithinMs = 2_000;

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
    const seen = (await instances.describe(region, [instanceId], describeWithinMs)).get(instanceId);
    if (seen ? !carriesItsId(vm, seen) : !isYoung(vm.facts.launchedAtMs, now())) return false;
    if (changeAdopted || isOurLaunch(vm, seen)) return true;
    if (seen) throw adoptedRefusal(vm);
    throw new UnavailableError(`EC2 in ${region} does not show ${instanceId} yet; try it again`);
  };

  function isOurLaunch({ adopted, ...vm }: Checked, seen: Instance | undefined): boolean {
    return adopted === false || isLaunchedByUs(provider, vm, seen?.clientToken);
  }

  function carriesItsId(vm: Checked, seen: Instance): boolean {
    if (seen.account !== vm.account) return false;
    const hasNoTagsYet = Object.keys(seen.tags).length === 0 && isYoung(vm.facts.launchedAtMs, now());
    return vmIdOf(seen.tags, tagKeys, provider) === vm.vmId || (hasNoTagsYet && isOurLaunch(vm, seen));
  }
};

/** Why an adopted instance is not changed. No retry helps: HTTP 409. */
export const adoptedRefusal = ({ vmId, instanceId }: Pick<Checked, 'vmId' | 'instanceId'>) =>
  new FailedPreconditionError(
    `VM ${vmId} is adopted: its instance ${instanceId} carries this provider's tags and was not launched by it, so it is reported and not changed; the setting provisioning.changeAdopted allows that`,
  );
