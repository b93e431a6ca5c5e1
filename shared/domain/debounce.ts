import { isStateKey, secondOfKey, stateOfKey } from './status-key.ts';
import type { UnpublishedStatus, Vm } from './vm.ts';
import { type Addresses, awaitsAddress } from './vm-outputs.ts';

/** A VM may change this often in ten seconds and have each change told at once; what comes on top is held back. */
export const usualBurst = 4;
const windowSeconds = 10;
/** After so long what was held back is settled: its newest is told, whatever it is. */
export const settleSeconds = 5;

/** What becomes of an outbox. All three ascending. */
export type Release = {
  readonly tell: readonly UnpublishedStatus[];
  /** Held back until something newer could be told, which makes them worthless. */
  readonly drop: readonly UnpublishedStatus[];
  readonly hold: readonly UnpublishedStatus[];
};

type Limits = {
  readonly burst: number;
  /** What was held back at the latest with this key may be told now. */
  readonly settled?: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
};

/**
 * What of a VM's outbox may be told: the first changes of ten seconds on EC2's clock at once, then none until it settles, and an end at
 * once, always. Decided by the history alone, so that every worker decides the same and none has to remember anything. RUNNING waits for
 * its addresses (domain/vm-outputs.ts), and is superseded where the VM has left that state before they are known.
 */
export const releaseOf = (
  { outbox, history, ...addresses }: Pick<Vm, 'outbox' | 'history'> & Addresses,
  { burst, settled, nowMs }: Limits,
): Release => {
  const changes = [...new Set([...history, ...outbox].map(({ key }) => key))]
    .filter(isStateKey)
    .map((key) => ({ key, at: secondOfKey(key) }));
  const isFree = ({ key }: UnpublishedStatus) => isEnd(key) || changesBefore(changes, key) <= burst;
  const firstHeld = outbox.find((status) => !isFree(status));
  const newest = outbox.at(-1);
  const isSettled = settled !== undefined && firstHeld !== undefined && firstHeld.key <= settled;

  const tell = outbox.filter(
    (status) =>
      !awaitsAddress(addresses, status, nowMs) && (isFree(status) || (isSettled && status === newest)),
  );
  const until = tell.at(-1)?.key ?? '';
  const rest = outbox.filter((status) => !tell.includes(status));
  return {
    tell,
    drop: rest.filter(({ key }) => key < until),
    hold: rest.filter(({ key }) => key > until),
  };
};

const isEnd = (key: string): boolean => stateOfKey(key) === 'terminated';

/** How often the state changed in the ten seconds up to a status, itself included. */
const changesBefore = (
  changes: readonly { readonly key: string; readonly at: number }[],
  key: string,
): number => {
  const after = secondOfKey(key) - windowSeconds;
  return changes.filter((change) => change.at > after && change.key <= key).length;
};
