import type { LaunchedRecord } from '../../shared/domain/vm-record.ts';
import type { About } from '../../shared/wire/own-event.ts';

/** Which instance the normaliser is told of, and by which request it came to that. */
export const aboutInstance = (
  { instanceId, region, account }: LaunchedRecord,
  requestId: string,
): Omit<About, 'at'> => ({ 'instance-id': instanceId, region, account, 'request-id': requestId });
