import { isStateKey, stateOfKey } from '../domain/status-key.ts';
import type { Vm } from '../domain/vm.ts';

/** Below these bounds nothing is superseded. An item of DynamoDB, with all else that it holds, has 409,600 bytes. */
const maximumUnpublished = 300;
const maximumBytes = 256 * 1024;
/** What an unpublished or past status takes beside its message: measured on items of both, at most. */
const bytesBesideMessage = 250;
const keptNewest = 100;

/**
 * The keys of the unpublished statuses that are superseded because one VM has too many of them, which only an outage of NATS that lasts for
 * hours leads to: all but the first, the newest hundred and every end. None below the bounds.
 */
export const supersededKeys = ({ outbox, history }: Pick<Vm, 'outbox' | 'history'>): string[] => {
  const middle = outbox.slice(1, -keptNewest);
  const isBounded =
    middle.length === 0 || (outbox.length <= maximumUnpublished && !isLarge([...outbox, ...history]));
  return isBounded ? [] : middle.map(({ key }) => key).filter((key) => !isEnd(key));
};

const isLarge = (statuses: readonly { readonly message: string }[]): boolean =>
  statuses.reduce((sum, { message }) => sum + bytesBesideMessage + Buffer.byteLength(message), 0) >
  maximumBytes;

const isEnd = (key: string): boolean => isStateKey(key) && stateOfKey(key) === 'terminated';
