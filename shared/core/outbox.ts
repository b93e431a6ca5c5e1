import { isStateKey, secondOfKey, stateOfKey } from './gate.ts';
import { finalState, type Kind } from './kind.ts';
import { type Addresses, awaitsAddress } from './outputs.ts';
import type { Resource, UnpublishedStatus } from './resource.ts';

/** So many changes of a resource within ten seconds are published at once; further ones are held back. */
export const defaultBurst = 4;
const windowSeconds = 10;
/** After this many seconds the newest held-back status is published, whatever it is. */
export const settleSeconds = 5;

/** Which statuses of an outbox are published, superseded or held back. All three ascending. */
export type Release = {
  readonly publish: readonly UnpublishedStatus[];
  /** Held back until a newer status could be published, and then no longer needed. */
  readonly superseded: readonly UnpublishedStatus[];
  readonly heldBack: readonly UnpublishedStatus[];
};

type Limits = {
  readonly burst: number;
  /** Statuses that were held back, up to this key, may be published now. */
  readonly settled?: string | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs: number;
};

/**
 * The release of a resource's outbox: the first changes within ten seconds on the service's clock at once, then none until the resource
 * settles; an end always at once. It depends on the history alone, so that all workers decide alike. RUNNING waits for its addresses
 * (core/outputs.ts), and is superseded where the resource leaves that state before they are known; of a kind that reports every state, it
 * is then published without them.
 */
export const releaseOf = (
  { kind, outbox, history, ...addresses }: Pick<Resource, 'kind' | 'outbox' | 'history'> & Addresses,
  { burst, settled, nowMs }: Limits,
): Release => {
  const changes = [...new Set([...history, ...outbox].map(({ key }) => key))]
    .filter(isStateKey)
    .map((key) => ({ key, at: secondOfKey(key) }));
  const isFree = ({ key }: UnpublishedStatus) => isEnd(kind, key) || changesBefore(changes, key) <= burst;
  const isOver = ({ key }: UnpublishedStatus) =>
    outbox.some((other) => other.key > key && isStateKey(other.key));
  const firstHeld = outbox.find((status) => !isFree(status));
  const newest = outbox.at(-1);
  const isSettled = settled !== undefined && firstHeld !== undefined && firstHeld.key <= settled;

  const publish = outbox.filter(
    (status) =>
      !awaitsAddress({ kind, ...addresses }, status, nowMs, isOver(status)) &&
      (isFree(status) || (isSettled && status === newest)),
  );
  const until = publish.at(-1)?.key ?? '';
  const rest = outbox.filter((status) => !publish.includes(status));
  return {
    publish,
    superseded: rest.filter(({ key }) => key < until),
    heldBack: rest.filter(({ key }) => key > until),
  };
};

const isEnd = (kind: Kind, key: string): boolean => stateOfKey(kind, key) === finalState(kind);

/** How often the state changed in the ten seconds up to a status, this one included. */
const changesBefore = (
  changes: readonly { readonly key: string; readonly at: number }[],
  key: string,
): number => {
  const after = secondOfKey(key) - windowSeconds;
  return changes.filter((change) => change.at > after && change.key <= key).length;
};

/** Below these bounds nothing is superseded. A DynamoDB item has at most 409,600 bytes in all. */
const maximumUnpublished = 300;
const maximumBytes = 256 * 1024;
/** The most bytes that an unpublished or past status takes besides its message, measured on items. */
const bytesBesideMessage = 250;
const keptNewest = 100;

/**
 * The keys of the unpublished statuses that are superseded where one resource has too many, as after hours without NATS: all but the
 * first, the newest hundred and every end. None below the bounds.
 */
export const supersededKeys = ({
  kind,
  outbox,
  history,
}: Pick<Resource, 'kind' | 'outbox' | 'history'>): string[] => {
  const middle = outbox.slice(1, -keptNewest);
  const isBounded =
    middle.length === 0 || (outbox.length <= maximumUnpublished && !isLarge([...outbox, ...history]));
  return isBounded
    ? []
    : middle.map(({ key }) => key).filter((key) => !(isStateKey(key) && isEnd(kind, key)));
};

const isLarge = (statuses: readonly { readonly message: string }[]): boolean =>
  statuses.reduce((sum, { message }) => sum + bytesBesideMessage + Buffer.byteLength(message), 0) >
  maximumBytes;
