import { isRepeat, type Vm } from '../../shared/domain/vm.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Fleet } from '../../shared/ports/fleet.ts';
import type { Meter } from '../../shared/ports/meter.ts';
import type { StatusPublisher } from '../../shared/ports/status-publisher.ts';
import { vmStatusEvent } from '../../shared/wire/dcm-vm.ts';

export type PublishingParts = {
  readonly fleet: Fleet;
  readonly publisher: StatusPublisher;
  readonly provider: string;
  readonly now: Clock;
  readonly meter: Meter;
};

/**
 * Publishes whatever these VMs have unpublished, then removes what was acknowledged from their outboxes. In that order: a crash in
 * between repeats the news, never loses it.
 * @returns why a VM's statuses are not all published and settled, by instance id; empty where they are.
 */
export const publishOutboxes =
  ({ fleet, publisher, provider, now, meter }: PublishingParts) =>
  async (vms: readonly Vm[]): Promise<Map<string, unknown>> => {
    const failures = new Map<string, unknown>();
    const unpublished = vms.filter(({ outbox }) => outbox.length > 0);
    if (unpublished.length === 0) return failures;

    const events = unpublished.flatMap((vm) =>
      vm.outbox.map((status) => vmStatusEvent(vm, status, provider)),
    );
    const { acknowledged, failed } = await publisher.publish(events);
    meter.count('published', acknowledged.length);
    meter.count('duplicate', acknowledged.filter(({ duplicate }) => duplicate).length);
    meter.count('unpublished', failed.length);

    const ids = new Set(acknowledged.map(({ id }) => id));
    const why = new Map(failed.map(({ id, reason }) => [id, reason]));
    await Promise.all(unpublished.map(settle));
    return failures;

    async function settle({ instanceId, outbox }: Vm) {
      const told = outbox.filter(({ id }) => ids.has(id));
      const untold = outbox.find(({ id }) => !ids.has(id));
      if (untold) failures.set(instanceId, why.get(untold.id) ?? `the bridge did not mention ${untold.id}`);
      if (told.length === 0) return;
      const firstTold = told.filter((status) => !isRepeat(status));
      for (const { at } of firstTold) meter.eventAge(now() - at * 1000);
      await fleet
        .settle(
          instanceId,
          told.map(({ key }) => key),
        )
        .catch((error) => failures.set(instanceId, error));
    }
  };
