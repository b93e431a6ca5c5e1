import { listingTime } from '../../shared/core/gate.ts';
import { dcmIdOf } from '../../shared/core/ownership.ts';
import { isLaunched } from '../../shared/core/record.ts';
import { movedAwayStatus, movedStatus, type Resource } from '../../shared/core/resource.ts';
import type { Instance } from '../../shared/service-types/vm/ports.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';
import { publishStatuses } from './deliver.ts';
import type { Parts } from './normalise.ts';

const listTimeoutMs = 2_000;

/** The DCM id that an instance moves to (undefined: none that is reported), and the time of the move in seconds since 1970. */
type Move = { readonly dcmId: string | undefined; readonly at: number };

/**
 * Ends the former VM of an instance with a new DCM id in its tags: publishes the VM's unpublished statuses and then DELETED, ends its
 * record, and only then gives the instance the new id. Where another instance now carries the old id, as after a swap, that instance is the
 * VM from now on: no DELETED is published, and the instance is observed. After a crash every step is repeated, with the same message ids.
 * @returns the new VM, with its first status in the outbox; undefined where the instance is no longer reported.
 * @throws UnavailableError where NATS did not acknowledge every status, EC2 did not answer, or the instance changed meanwhile.
 */
export const moveInstance = (parts: Parts) => {
  const { records, resourceStore, observations, randomPart, provider, now, meter } = parts;
  const publish = publishStatuses(parts);

  return async (resourceId: string, { dcmId, at }: Move): Promise<Resource | undefined> => {
    const held = await resourceStore.readConsistently(resourceId);
    if (held.outcome === 'unknown') return undefined;
    const { vm } = held;
    const ended = movedAwayStatus(vm, { at, dcmId }, randomPart());
    const carriers = await othersThatCarry(vm);
    const goesOn = carriers.length > 0 || (await isAnotherInstances(vm));
    await publish(vm, goesOn ? vm.outbox : [...vm.outbox, ended]);
    await records?.end(vm.dcmId, resourceId);
    await observations.send(carriers.map((instance) => observed(vm.region, instance)));
    meter.count('moved');
    if (dcmId === undefined) return void (await resourceStore.removeOwnership(resourceId));
    const { latest } = vm;
    return resourceStore.move(vm, dcmId, latest && movedStatus({ ...vm, latest }, ended, randomPart()));
  };

  /** Whether a create or an adoption has given the DCM id to another instance. */
  async function isAnotherInstances({ dcmId, resourceId }: Resource): Promise<boolean> {
    const record = await records?.read(dcmId);
    return record !== undefined && (!isLaunched(record) || record.resourceId !== resourceId);
  }

  async function othersThatCarry(
    { region, dcmId, resourceId }: Pick<Resource, 'region' | 'dcmId' | 'resourceId'>,
    token?: string,
  ): Promise<Instance[]> {
    const { instances, tagKeys } = parts;
    const tag = { key: tagKeys.instanceId, value: dcmId };
    const page = await instances.list({ target: { region }, tag, token, timeoutMs: listTimeoutMs });
    const carriers = page.resources.filter(
      (one) =>
        one.resourceId !== resourceId &&
        one.state !== 'shutting-down' &&
        one.state !== 'terminated' &&
        dcmIdOf(one.tags, tagKeys, provider) === dcmId,
    );
    if (page.nextToken === undefined) return carriers;
    return [...carriers, ...(await othersThatCarry({ region, dcmId, resourceId }, page.nextToken))];
  }

  function observed(
    region: string,
    { resourceId, account, state, tags, clientToken = '', publicAddress = '' }: Instance,
  ) {
    const about = { 'instance-id': resourceId, region, account, at: listingTime(now()) };
    return instanceObservedEvent({ ...about, state, publicAddress, tags, clientToken });
  }
};
