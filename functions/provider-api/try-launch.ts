import { ProviderError, reasonOf, SettingsError } from '../../shared/core/errors.ts';
import {
  type Accounts,
  type Target,
  targetName,
  targetOfAlias,
  targetOfKey,
} from '../../shared/core/target.ts';
import { specOf } from '../../shared/service-types/vm/spec.ts';
import type { LaunchTrial } from '../../shared/wire/inspection.ts';
import type { VmUseCases } from './service-types/vm.ts';

const anyVm = specOf({ service_type: 'vm' });

type Parts = {
  readonly accounts: Accounts;
  readonly vmsIn: (target: Target) => Pick<VmUseCases, 'validate'>;
};

/**
 * Whether a VM of defaults could be launched in a target, by its name: by the launch plan and EC2's dry run, so that images, network, quota
 * and the provider's permissions are tried. Launches nothing.
 * @throws SettingsError for a target that is not configured; what is no answer about the launch, such as a failed connection
 */
export const tryLaunch =
  ({ accounts, vmsIn }: Parts) =>
  async (name: string): Promise<LaunchTrial> => {
    const target = targetNamed(accounts, name);
    try {
      const { instance_type: instanceType, image_id: imageId } = await vmsIn(target).validate(anyVm, {
        ...target,
        requestId: 'doctor',
      });
      return { instanceType, imageId };
    } catch (error) {
      if (!(error instanceof ProviderError)) throw error;
      return { refusal: reasonOf(error) };
    }
  };

const targetNamed = (accounts: Accounts, name: string): Target => {
  const { account: alias, region } = targetOfKey(name);
  if (alias === undefined) return { region };
  const target = targetOfAlias(accounts, alias, region);
  if (target === undefined)
    throw new SettingsError(`no target ${targetName({ alias, region })} is configured`);
  return target;
};
