import { UnavailableError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { isEnding } from '../../shared/core/kind.ts';
import { dcmIdOf } from '../../shared/core/ownership.ts';
import { isLaunched } from '../../shared/core/record.ts';
import { movedAwayStatus, movedStatus, type Resource } from '../../shared/core/resource.ts';
import { targetOf } from '../../shared/core/target.ts';
import type { DescribedResource } from '../../shared/ports/described-resources.ts';
import { servedTypeOf } from '../../shared/ports/served-type.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { forwardToBus, publishStatuses } from './deliver.ts';
import type { Parts } from './normalise.ts';

const listTimeoutMs = 2_000;

/** The DCM id that a resource moves to (undefined: none that is reported), and the time of the move in seconds since 1970. */
type Move = { readonly dcmId: string | undefined; readonly at: number };

/**
 * Ends the former DCM id of a resource with a new one in its tags: publishes the unpublished statuses and then DELETED, ends the id's
 * record, and only then gives the resource the new id. Where another resource now carries the old id, as after a swap, that one has it from
 * now on: no DELETED is published, and it is observed. After a crash every step is repeated, with the same message ids.
 * @returns the resource under its new id, with the first status in the outbox; undefined where it is no longer reported.
 * @throws UnavailableError where NATS did not acknowledge every status, the service did not answer, or the resource changed meanwhile.
 */
export const moveResource = (parts: Parts) => {
  const { types, resourceStore, observations, randomPart, provider, now, meter } = parts;
  const publish = publishStatuses(parts);
  const forward = forwardToBus(parts);

  return async (resourceId: string, { dcmId, at }: Move): Promise<Resource | undefined> => {
    const held = await resourceStore.readConsistently(resourceId);
    if (held.outcome === 'unknown') return undefined;
    const { vm } = held;
    const ended = movedAwayStatus(vm, { at, dcmId }, randomPart());
    const carriers = await othersThatCarry(vm);
    const goesOn = carriers.length > 0 || (await isAnothers(vm));
    const statuses = goesOn ? vm.outbox : [...vm.outbox, ended];
    await publish(vm, statuses);
    await forwardAll(vm, statuses, dcmId);
    await servedTypeOf(types, vm.kind).records?.end(vm.dcmId, resourceId);
    await observations.send(carriers.map((one) => observed(vm.region, one)));
    meter.count('moved');
    if (dcmId === undefined) return void (await resourceStore.removeOwnership(resourceId));
    const { latest } = vm;
    return resourceStore.move(vm, dcmId, latest && movedStatus({ ...vm, latest }, ended, randomPart()));
  };

  /**
   * What the status bus does not take is kept under the former id.
   * @throws UnavailableError where the item that would keep it is about to be given up.
   */
  async function forwardAll(vm: Resource, statuses: Resource['outbox'], dcmId: string | undefined) {
    const forwarding = (await forward([{ vm, statuses }])).get(vm);
    const kept = forwarding ? await resourceStore.settle(vm, [], forwarding) : vm;
    if (dcmId === undefined && (kept?.unforwarded?.length ?? 0) > 0)
      throw new UnavailableError(`the status bus did not take the last statuses of ${vm.dcmId}`);
  }

  /** Whether a create or an adoption has given the DCM id to another resource. */
  async function isAnothers({ kind, dcmId, resourceId }: Resource): Promise<boolean> {
    const record = await servedTypeOf(types, kind).records?.read(dcmId);
    return record !== undefined && (!isLaunched(record) || record.resourceId !== resourceId);
  }

  async function othersThatCarry(
    vm: Pick<Resource, 'kind' | 'region' | 'account' | 'dcmId' | 'resourceId'>,
    token?: string,
  ): Promise<DescribedResource[]> {
    const { tagKeys, homeAccount } = parts;
    const { kind, dcmId, resourceId } = vm;
    const target = targetOf(vm, homeAccount);
    const { resources } = servedTypeOf(types, kind);
    const tag = { key: tagKeys.instanceId, value: dcmId };
    const page = await resources.list({ target, tag, token, timeoutMs: listTimeoutMs });
    const carriers = page.resources.filter(
      (one) =>
        one.resourceId !== resourceId &&
        !isEnding(kind, one.state) &&
        dcmIdOf(one.tags, tagKeys, provider) === dcmId,
    );
    if (page.nextToken === undefined) return carriers;
    return [...carriers, ...(await othersThatCarry(vm, page.nextToken))];
  }

  function observed(
    region: string,
    { resourceId, account, state, tags, clientToken = '', publicAddress = '' }: DescribedResource,
  ) {
    const about = { 'instance-id': resourceId, region, account, at: listingTime(now()) };
    return instanceObservedEvent({ ...about, state, publicAddress, tags, clientToken });
  }
};
