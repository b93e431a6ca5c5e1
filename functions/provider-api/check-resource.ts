import { FailedPreconditionError, UnavailableError } from '../../shared/core/errors.ts';
import { type Kind, nameOf } from '../../shared/core/kind.ts';
import { dcmIdOf, isRecentlyLaunched, type TagKeys } from '../../shared/core/ownership.ts';
import type { Facts, LaunchedRecord } from '../../shared/core/record.ts';
import { targetOfKey } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { DescribedResource, DescribedResources } from '../../shared/ports/described-resources.ts';
import { isLaunchedByUs } from '../../shared/service-types/client-token.ts';
import type { About } from '../../shared/wire/own-messages.ts';
import { settingsOf } from './lifecycle.ts';

/** DCM waits ten seconds for the answer, and the call that changes the resource needs some of them. */
const describeTimeoutMs = 2_000;

type CheckParts = {
  readonly resources: Pick<DescribedResources, 'describe'>;
  readonly type: { readonly service: string; readonly format: { readonly kind: Kind } };
  readonly provider: string;
  readonly tagKeys: TagKeys;
  /** Whether resources that this provider did not launch may be changed. */
  readonly changeAdopted: boolean;
  readonly now: Clock;
};

type Checked = Pick<
  LaunchedRecord<unknown, Facts>,
  'dcmId' | 'generation' | 'region' | 'resourceId' | 'account' | 'facts' | 'adopted'
>;

/**
 * Asks the service, right before a resource is changed, whether it still is the one with the DCM id: by its DCM id tag, its account, and
 * whether this provider launched it. False where the service does not know it, or its tags name another DCM id.
 *
 * A service may not show a resource, or its tags, for some seconds after the launch. In the first two minutes the record of the launch
 * decides, and the client token where the resource is shown.
 * @throws FailedPreconditionError where this provider did not launch the resource, and the settings do not allow changing it;
 * UnavailableError where the service did not answer.
 * @see https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
 */
export const checkResource = ({ resources, type, provider, tagKeys, changeAdopted, now }: CheckParts) => {
  return async (record: Checked): Promise<boolean> => {
    const { resourceId } = record;
    const target = targetOfKey(record.region);
    const seen = (await resources.describe(target, [resourceId], describeTimeoutMs)).get(resourceId);
    if (seen ? !hasIdOf(record, seen) : !isRecentlyLaunched(record.facts.launchedAtMs, now())) return false;
    if (changeAdopted || isOurLaunch(record, seen)) return true;
    if (seen) throw adoptedRefusal(type.format.kind, record);
    throw new UnavailableError(
      `${type.service} in ${target.region} does not show ${resourceId} yet; retry the request`,
    );
  };

  function isOurLaunch({ adopted, ...record }: Checked, seen: DescribedResource | undefined): boolean {
    return adopted === false || isLaunchedByUs(provider, record, seen?.clientToken);
  }

  function hasIdOf(record: Checked, seen: DescribedResource): boolean {
    if (seen.account !== record.account) return false;
    const hasNoTagsYet =
      Object.keys(seen.tags).length === 0 && isRecentlyLaunched(record.facts.launchedAtMs, now());
    return (
      dcmIdOf(seen.tags, tagKeys, provider) === record.dcmId || (hasNoTagsYet && isOurLaunch(record, seen))
    );
  }
};

/** @returns a check that throws FailedPreconditionError for a record of an adopted resource, where the settings do not allow changing it. */
export const refuseAdopted =
  (kind: Kind, changeAdopted: boolean) =>
  (record: Pick<LaunchedRecord, 'dcmId' | 'resourceId' | 'adopted'>): void => {
    if (record.adopted && !changeAdopted) throw adoptedRefusal(kind, record);
  };

const adoptedRefusal = (kind: Kind, { dcmId, resourceId }: Pick<Checked, 'dcmId' | 'resourceId'>) =>
  new FailedPreconditionError(
    `${nameOf(kind.serviceType)} ${dcmId} is adopted: its ${kind.noun} ${resourceId} has this provider's tags, but was not launched by this provider, so it is reported and not changed; the setting ${settingsOf(kind)}.changeAdopted allows changing it`,
  );

/** The head of an observation that is queued for the normaliser after a request changed the resource. */
export const aboutResource = (
  { resourceId, region, account }: Pick<LaunchedRecord, 'resourceId' | 'region' | 'account'>,
  requestId: string,
): Omit<About, 'at'> => ({
  ...{ 'instance-id': resourceId, region: targetOfKey(region).region },
  ...{ account, 'request-id': requestId },
});
