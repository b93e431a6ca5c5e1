import { partsOf } from '../../shared/core/gate.ts';
import type { Notice } from '../../shared/core/message.ts';
import { isImpaired, type Resource } from '../../shared/core/resource.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Instances } from '../../shared/ports/instances.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import {
  checkNames,
  nextCheck,
  type StatusCheck,
  type StatusChecks,
  statusChecks,
} from '../../shared/service-types/vm/status-checks.ts';
import { instanceNoticedEvent } from '../../shared/wire/own-messages.ts';

const timeoutMs = 2_000;

export type ImpairedParts = {
  readonly resourceStore: ResourceStore;
  readonly instances: Instances;
  readonly observations: Observations;
  readonly now: Clock;
  readonly log: Log;
};

/**
 * Asks EC2, after a complete listing that showed VMs and at most once a minute, which instances fail a status check: no event tells. Of
 * ours, the warning goes out once, and once more that it is over. A question that fails is asked again at the next listing.
 */
export const reportImpaired = ({ resourceStore, instances, observations, now, log }: ImpairedParts) => {
  return async (listing: Listing): Promise<Listing> => {
    const check = listing.seen > 0 ? nextCheck(listing.checks, now()) : undefined;
    if (check === undefined) return listing;
    const found = await ask(listing.region, check);
    return found ? { ...listing, checks: await compare(listing, check, found) } : listing;
  };

  function ask(region: string, check: StatusCheck) {
    return instances.impaired(region, check, timeoutMs).catch((error: unknown) => {
      log.warn('EC2 did not say which instances fail a status check', { region, check, error });
      return undefined;
    });
  }

  async function compare(
    { region, checks: { failing } }: Listing,
    check: StatusCheck,
    found: ReadonlyMap<string, number | undefined>,
  ): Promise<StatusChecks> {
    const known = failing[check];
    const fresh = await running([...found.keys()].filter((id) => !known.includes(id)));
    const over = await running(known.filter((id) => !found.has(id)));
    const others = new Set(statusChecks.flatMap((one) => (one === check ? [] : failing[one])));
    const isAlone = ({ resourceId: instanceId }: Resource) => !others.has(instanceId); // a VM that fails several checks is reported with one
    await tell(region, [
      ...fresh.filter(isAlone).flatMap((vm) => warning(vm, check, found.get(vm.resourceId) ?? now())),
      ...over.filter(isAlone).flatMap((vm) => allClear(vm, now())),
    ]);
    const still = known.filter((id) => found.has(id));
    const ours = [...still, ...fresh.map(({ resourceId: instanceId }) => instanceId)];
    return { askedAtMs: now(), asked: check, failing: { ...failing, [check]: ours } };
  }

  /** Those of them that are ours, and run as far as the fleet knows. */
  async function running(instanceIds: readonly string[]): Promise<Resource[]> {
    const remembered = instanceIds.length > 0 ? await resourceStore.read(instanceIds) : new Map();
    return [...remembered.values()].flatMap((held) =>
      held.owner === 'ours' && held.vm.state === 'running' ? [held.vm] : [],
    );
  }

  async function tell(region: string, told: readonly Told[]) {
    await observations.send(
      told.map(({ vm: { resourceId: instanceId, account }, ...notice }) =>
        instanceNoticedEvent({ 'instance-id': instanceId, region, account, ...notice }),
      ),
    );
    const impaired = told.filter(({ notice }) => notice === 'impaired').length;
    if (impaired > 0) log.warn('VMs fail a status check', { region, vms: impaired });
  }
};

type Told = { readonly vm: Resource } & Pick<Notice, 'notice' | 'at' | 'text'>;

/** None where it was sent already, by a worker that could not write it down. */
const warning = (vm: Resource, check: StatusCheck, sinceMs: number): Told[] => {
  if (isImpaired(vm)) return [];
  const recoveredAt = vm.notices?.recovered?.at ?? 0;
  const at = Math.max(Math.floor(sinceMs / 1000), partsOf(vm.sequence).at, recoveredAt + 1);
  return [{ vm, notice: 'impaired', at, text: `impaired: its ${checkNames[check]} status check fails` }];
};

/** Without a text: the next message is as if there had been no warning. */
const allClear = (vm: Resource, nowMs: number): Told[] => {
  if (!isImpaired(vm)) return [];
  const impairedAt = vm.notices?.impaired?.at ?? 0;
  return [{ vm, notice: 'recovered', at: Math.max(Math.floor(nowMs / 1000), impairedAt + 1), text: '' }];
};
