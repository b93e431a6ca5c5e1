import { supersededKeys } from '../../shared/core/outbox-bound.ts';
import { UnavailableError } from '../../shared/domain/errors.ts';
import type { Signal } from '../../shared/domain/signal.ts';
import type { Vm } from '../../shared/domain/vm.ts';

import type { Recorded } from '../../shared/ports/fleet.ts';

import type { Meter } from '../../shared/ports/meter.ts';
import { addressesIn } from './described-state.ts';
import type { Owned } from './establish-owners.ts';
import { type Lane, withoutSuperseded } from './lanes.ts';

import { type Before, type RecordingParts, recordAddresses, recordSignal } from './record-signal.ts';
import type { Terminations } from './terminations.ts';

type Parts = RecordingParts & { readonly reasons: Terminations; readonly meter: Meter };

/** What became of a lane in the fleet. */
export type RecordedLane = {
  readonly lane: Lane;
  /** As the fleet then holds it, outbox and all: also what a crashed worker left there. */
  readonly vm: Vm;
  /** The keys of what it added to the outbox. */
  readonly added: ReadonlySet<string>;
  /** Not all of it was news: it may be here again, because something of it was left undone. */
  readonly hasRepeats: boolean;
} & Pick<Owned, 'needsClaimCheck'>;

/** Tells the fleet, in order, what was learnt about one VM, whose outbox is first brought below its bounds. */
export const recordSignals = (parts: Parts) => {
  const { fleet, reasons, now, meter } = parts;
  const record = recordSignal(parts);
  const readdress = recordAddresses(parts);

  /** Before anything is added: an item at DynamoDB's size limit takes nothing more. */
  const bounded = async (vm: Vm): Promise<Vm> => {
    const superseded = supersededKeys(vm);
    if (superseded.length === 0) return vm;
    meter.count('superseded', superseded.length);
    const settled = await fleet.settle(vm, superseded);
    if (settled === undefined) throw noLongerHeld(vm);
    return settled;
  };

  return async ({
    lane,
    vm,
    signals,
    answer,
    reason,
    described,
    needsClaimCheck,
  }: Owned & Pick<Before, 'reason'>): Promise<RecordedLane> => {
    const told = withoutSuperseded(signals);
    meter.count('collapsed', signals.length - told.length);
    const added = new Set<string>();
    let held = await bounded(vm);
    let hasRepeats = false;
    for (const signal of told) {
      const recorded = await record({ vm: held, isRecalled: held === vm, reason, described }, signal);
      keep(signal, recorded);
    }
    const seen = addressesIn(described, held.state);
    keep(undefined, await readdress(held, seen, Math.floor(now() / 1000)));
    if (held.state === 'shutting-down') reasons.expect(held);
    return { lane, vm: held, added, hasRepeats, needsClaimCheck };

    function keep(signal: Signal | undefined, recorded: Recorded) {
      if (recorded.outcome === 'unknown') throw noLongerHeld(vm);
      if (signal) meter.count(recorded.outcome);
      held = recorded.vm;
      if (recorded.outcome === 'accepted') note(signal, held);
      else if (signal) hasRepeats = true;
    }

    function note(signal: Signal | undefined, { latest, region, state }: Vm) {
      if (latest) added.add(latest.key);
      if (signal !== undefined && signal === answer && vm.state !== undefined && state !== undefined)
        meter.healed(region, state);
    }
  };
};

const noLongerHeld = ({ instanceId }: Vm) =>
  new UnavailableError(`the fleet no longer holds ${instanceId}; whose it is must be established again`);
