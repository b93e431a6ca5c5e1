import { UnreadableError } from '../domain/errors.ts';
import type { Past } from '../domain/history.ts';
import { secondOfKey, stateOfKey } from '../domain/status-key.ts';
import { plainMessage } from '../domain/vm.ts';
import { VmStatus } from '../domain/vm-status.ts';

/** Before a message that does not begin like the others: no status and no rest of a message begins like this. */
const whole = '\n';

/** A past status as text: what key and instance do not tell, so that ten of them fit into an item's first kilobyte. */
export const packed = (instanceId: string, { key, status, message }: Past): string => {
  const plain = plainMessage(instanceId, stateOfKey(key));
  const rest = message.startsWith(plain) ? message.slice(plain.length) : undefined;
  return rest === undefined || /^[A-Z\n]/.test(rest) ? `${status}${whole}${message}` : `${status}${rest}`;
};

/** @throws UnreadableError where it was not written by `packed`. */
export const unpacked = (instanceId: string, key: string, text: string): Past => {
  const [word = ''] = /^[A-Z]*/.exec(text) ?? [];
  const status = VmStatus.safeParse(word);
  if (!status.success)
    throw new UnreadableError(`the history of ${instanceId} makes no sense: no status begins "${text}"`);
  const rest = text.slice(word.length);
  const message = rest.startsWith(whole)
    ? rest.slice(whole.length)
    : `${plainMessage(instanceId, stateOfKey(key))}${rest}`;
  return { key, at: secondOfKey(key), status: status.data, message };
};
