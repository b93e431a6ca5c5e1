import { InvalidArgumentError, UnprocessableError } from '../../../core/errors.ts';
import type { ClusterVersion } from '../ports.ts';
import type { ClusterProvisioning } from '../provisioning.ts';

export type ChosenVersion = {
  /** A minor version. */
  readonly version: string;
  readonly isExtended: boolean;
  readonly chosenBy: string;
};

/**
 * The minor version of Kubernetes for a spec, of those that EKS offers in the region.
 * @throws InvalidArgumentError where neither the spec nor the operator names one; UnprocessableError for one that EKS does not offer, or
 * whose support the operator's settings do not allow.
 */
export const chooseVersion = (
  given: string | undefined,
  offered: readonly ClusterVersion[],
  {
    region,
    defaultVersion,
    extendedSupport,
  }: { readonly region: string } & Pick<ClusterProvisioning, 'defaultVersion' | 'extendedSupport'>,
): ChosenVersion => {
  const creatable = offered
    .filter(({ support }) => support === 'standard' || (support === 'extended' && extendedSupport))
    .map(({ version }) => version)
    .join(', ');
  const expected = `EKS in ${region} offers ${creatable || 'none that this provider allows'}`;
  const asked = given ?? defaultVersion;
  if (asked === undefined)
    throw new InvalidArgumentError(`version: expected a Kubernetes version such as 1.33; ${expected}`);
  const version = minorOf(asked);
  const support = offered.find((one) => one.version === version)?.support;
  if (support === undefined)
    throw new UnprocessableError(`version: there is no version ${version}; ${expected}`);
  if (support === 'ended' || (support === 'extended' && !extendedSupport))
    throw new UnprocessableError(
      `version: ${version} is ${support === 'ended' ? 'no longer supported' : 'out of standard support, and the setting clusters.extendedSupport does not allow it'}; ${expected}`,
    );
  const rule =
    given === undefined
      ? 'setting clusters.defaultVersion, as version is absent'
      : 'version, as the spec names it';
  const cut = version === asked ? '' : `, without the patch of ${asked}: EKS chooses it`;
  const chosenBy = `${rule}${cut}; EKS has it in ${support} support`;
  return { version, isExtended: support === 'extended', chosenBy };
};

const minorOf = (version: string): string => version.split('.').slice(0, 2).join('.');
