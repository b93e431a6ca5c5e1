import { UnavailableError } from '../../shared/core/errors.ts';
import { listingTime } from '../../shared/core/gate.ts';
import { dcmIdOf, type TagKeys } from '../../shared/core/ownership.ts';
import { isLaunched } from '../../shared/core/record.ts';
import { movedAwayStatus, movedStatus, type Resource } from '../../shared/core/resource.ts';
import type { Clock, RandomPart } from '../../shared/ports/clock.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { Records } from '../../shared/ports/records.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import type { Log, Meter } from '../../shared/ports/telemetry.ts';
import type { Instance, Instances } from '../../shared/service-types/vm/ports.ts';
import { statusEvent } from '../../shared/wire/dcm-status.ts';
import { instanceObservedEvent } from '../../shared/wire/own-messages.ts';

const listTimeoutMs = 2_000;

export type MoveParts = {
  readonly records?: Pick<Records, 'read' | 'end'> | undefined;
  readonly resourceStore: Pick<ResourceStore, 'readConsistently' | 'move' | 'removeOwnership'>;
  readonly instances: Pick<Instances, 'list'>;
  readonly publisher: StatusPublisher;
  readonly observations: Observations;
  readonly randomPart: RandomPart;
  readonly provider: string;
  readonly tagKeys: TagKeys;
  readonly now: Clock;
  readonly meter: Meter;
  readonly log: Log;
};

/** To which DCM id an instance moves, undefined: to none that is reported, and since when in seconds since 1970. */
type Move = { readonly dcmId: string | undefined; readonly at: number };

/**
 * Ends the VM that an instance was until its tags said another DCM id: publishes what is unpublished of it and then DELETED, ends its
 * record, and only then gives the instance the new id. Where another instance carries the old id now, as after a swap, the VM goes on as
 * that one: no DELETED, and the other instance is looked at. Every step is repeated after a crash, under the same message ids.
 * @returns the new VM, with its first status in the outbox; undefined where the instance is not reported any more.
 * @throws UnavailableError where NATS did not acknowledge all of it, EC2 did not answer, or the instance changed meanwhile.
 */
export const moveInstance = (parts: MoveParts) => {
  const { records, resourceStore, publisher, observations, randomPart, provider, now, meter, log } = parts;

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

  /** Without what can never be published: that must not keep the VM from ending. */
  async function publish(vm: Resource, statuses: Resource['outbox']): Promise<void> {
    if (statuses.length === 0) return;
    const events = statuses.map((status) => statusEvent(vm, status, provider));
    const { acknowledged, failed } = await publisher.publish(events);
    meter.count('published', acknowledged.length);
    const refused = failed.filter(({ retryable }) => !retryable);
    for (const { id, reason } of refused)
      log.error('a status of a VM that ends can never be published', { dcmId: vm.dcmId, id, reason });
    const done = new Set([...acknowledged, ...refused].map(({ id }) => id));
    const rest = statuses.filter(({ id }) => !done.has(id));
    if (rest.length === 0) return;
    if (refused.length > 0) return publish(vm, rest);
    const why = failed[0]?.reason ?? 'the nats-bridge did not answer for all of them';
    throw new UnavailableError(`the end of VM ${vm.dcmId} could not be published: ${why}`);
  }

  /** A create or an adoption has given the DCM id to another instance. */
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
