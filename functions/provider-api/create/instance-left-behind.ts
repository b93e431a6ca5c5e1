import { type TagKeys, vmIdOf } from '../../../shared/domain/tags.ts';
import {
  factsSeen,
  isLaunched,
  type LaunchedRecord,
  type VmRecord,
} from '../../../shared/domain/vm-record.ts';
import type { Instance, Instances } from '../../../shared/ports/instances.ts';
import type { VmRecords } from '../../../shared/ports/vm-records.ts';

const patienceMs = 3_000;

export type SearchParts = {
  readonly records: Pick<VmRecords, 'read' | 'adopt'>;
  readonly instances: Pick<Instances, 'list'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

/**
 * Looks, by its tags, for the instance of a creation that crashed before it was noted, and notes it.
 * @returns the record with it; undefined where EC2 has none, or was never asked for one.
 */
export const instanceLeftBehind = ({ records, instances, provider, tagKeys }: SearchParts) => {
  const living = async (region: string, vmId: string, token?: string): Promise<Instance | undefined> => {
    const tag = { key: tagKeys.instanceId, value: vmId };
    const page = await instances.list({ region, tag, token, withinMs: patienceMs });
    const found = page.instances.find(
      ({ tags, state }) =>
        state !== 'shutting-down' && state !== 'terminated' && vmIdOf(tags, tagKeys, provider) === vmId,
    );
    return found ?? (page.nextToken ? living(region, vmId, page.nextToken) : undefined);
  };

  return async ({ vmId, region, launch }: VmRecord): Promise<LaunchedRecord | undefined> => {
    const instance = launch && (await living(region, vmId));
    if (!instance) return undefined;
    const { instanceId, account } = instance;
    await records.adopt({ vmId, region, instanceId, account, facts: factsSeen(instance) });
    const record = await records.read(vmId);
    return record && isLaunched(record) ? record : undefined;
  };
};
