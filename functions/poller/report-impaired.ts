import { partsOf } from '../../shared/core/gate.ts';
import type { Notice } from '../../shared/core/message.ts';
import { holdsNotice, type Resource } from '../../shared/core/resource.ts';
import { type Accounts, loggedTarget, type Target } from '../../shared/core/target.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Listing } from '../../shared/ports/listings.ts';
import type { Observations } from '../../shared/ports/observations.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';
import type { Log } from '../../shared/ports/telemetry.ts';
import {
  checkNames,
  type ImpairedInstances,
  mostEverywhere,
  nextCheck,
  type StatusCheck,
  type StatusChecks,
  statusChecks,
  statusChecksOf,
} from '../../shared/service-types/vm/status-checks.ts';
import { instanceNoticedEvent } from '../../shared/wire/own-messages.ts';
import type { PolledInventory } from './feed-inventory.ts';

const timeoutMs = 2_000;

export type ImpairedParts = {
  readonly resourceStore: ResourceStore;
  readonly observations: Observations;
  /** The accounts besides the home account. */
  readonly accounts?: Accounts | undefined;
  readonly now: Clock;
  readonly log: Log;
  /** Undefined: the status checks of instances that are not ours do not matter. */
  readonly inventory?: PolledInventory | undefined;
};

/**
 * Reads, after a complete listing with VMs and at most once a minute, which instances fail a status check, because EC2 sends no event of
 * it. Of our VMs, the failure is published once, and so is its end. A question that failed is repeated after the next listing.
 */
export const reportImpaired = ({
  resourceStore,
  observations,
  accounts = {},
  now,
  log,
  inventory,
}: ImpairedParts) => {
  const hasInventory = inventory?.collections.has('instances') === true;

  return async (instances: ImpairedInstances, listing: Listing): Promise<Listing> => {
    const checks = statusChecksOf(listing.checks);
    const check = listing.seen > 0 || hasInventory ? nextCheck(checks, now()) : undefined;
    if (check === undefined) return listing;
    const found = await impaired(instances, listing.target, check);
    return found ? { ...listing, checks: await compare(listing.target, checks, check, found) } : listing;
  };

  function impaired(instances: ImpairedInstances, target: Target, check: StatusCheck) {
    return instances.impaired(target, check, timeoutMs).catch((error: unknown) => {
      log.warn('EC2 did not return the instances that fail a status check', {
        ...{ region: loggedTarget(accounts, target), check, error },
      });
      return undefined;
    });
  }

  async function compare(
    target: Target,
    { failing, everywhere }: StatusChecks,
    check: StatusCheck,
    found: ReadonlyMap<string, number | undefined>,
  ): Promise<StatusChecks> {
    const known = failing[check];
    const fresh = await running([...found.keys()].filter((id) => !known.includes(id)));
    const over = await running(known.filter((id) => !found.has(id)));
    const others = new Set(statusChecks.flatMap((one) => (one === check ? [] : failing[one])));
    const failsNoOther = ({ resourceId }: Resource) => !others.has(resourceId); // a VM that fails several checks is reported once
    await send(target, [
      ...fresh.filter(failsNoOther).flatMap((vm) => failure(vm, check, found.get(vm.resourceId) ?? now())),
      ...over.filter(failsNoOther).flatMap((vm) => recovery(vm, now())),
    ]);
    const still = known.filter((id) => found.has(id));
    const ours = [...still, ...fresh.map(({ resourceId }) => resourceId)];
    const all = hasInventory ? [...found.keys()].sort().slice(0, mostEverywhere) : [];
    return {
      ...{ askedAtMs: now(), asked: check, failing: { ...failing, [check]: ours } },
      everywhere: { ...everywhere, [check]: all },
    };
  }

  /** Those of them that are ours and held as running. */
  async function running(instanceIds: readonly string[]): Promise<Resource[]> {
    const stored = instanceIds.length > 0 ? await resourceStore.read(instanceIds) : new Map();
    return [...stored.values()].flatMap((held) =>
      held.owner === 'ours' && held.vm.state === 'running' ? [held.vm] : [],
    );
  }

  async function send(target: Target, notices: readonly VmNotice[]) {
    await observations.send(
      notices.map(({ vm: { resourceId, account }, ...notice }) =>
        instanceNoticedEvent({ 'instance-id': resourceId, region: target.region, account, ...notice }),
      ),
    );
    const failures = notices.filter(({ notice }) => notice === 'impaired').length;
    if (failures > 0)
      log.warn('VMs fail a status check', { region: loggedTarget(accounts, target), vms: failures });
  }
};

type VmNotice = { readonly vm: Resource } & Pick<Notice, 'notice' | 'at' | 'text'>;

/** None where a worker sent it before, but did not save the listing. */
const failure = (vm: Resource, check: StatusCheck, sinceMs: number): VmNotice[] => {
  if (holdsNotice(vm, 'impaired')) return [];
  const recoveredAt = vm.notices?.recovered?.at ?? 0;
  const at = Math.max(Math.floor(sinceMs / 1000), partsOf(vm.sequence).at, recoveredAt + 1);
  return [{ vm, notice: 'impaired', at, text: `impaired: its ${checkNames[check]} status check fails` }];
};

/** Without a text, so that the next message is as before the failure. */
const recovery = (vm: Resource, nowMs: number): VmNotice[] => {
  if (!holdsNotice(vm, 'impaired')) return [];
  const impairedAt = vm.notices?.impaired?.at ?? 0;
  return [{ vm, notice: 'recovered', at: Math.max(Math.floor(nowMs / 1000), impairedAt + 1), text: '' }];
};
