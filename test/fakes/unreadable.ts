import { UnreadableError } from '../../shared/core/errors.ts';
import type { ResourceStore } from '../../shared/ports/resource-store.ts';

/** The `read` of a resource store in which one instance's item cannot be read. */
export const unreadable = (instanceId: string, { read }: ResourceStore): ResourceStore['read'] => {
  const error = new UnreadableError(`the DynamoDB table's item of ${instanceId} makes no sense`);
  return async (ids) => new Map(await read(ids)).set(instanceId, { owner: 'unreadable', error });
};
