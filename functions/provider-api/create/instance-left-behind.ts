import { type TagKeys, vmIdOf } from '../../../shared/domain/tags.ts';
import {
  factsSeen,
  isLaunched,
  type LaunchedRecord,
  type VmRecord,
} from '../../../shared/domain/vm-record.ts';
import type { Instance, Instances } from '../../../shared/ports/instances.ts';
import type { VmRecords } from '../../../shared/ports/vm-records.ts';
import { isLaunchedByUs } from '../../../shared/service-types/vm/launch-origin.ts';

const patienceMs = 3_000;

export type SearchParts = {
  readonly records: Pick<VmRecords, 'read' | 'adopt'>;
  readonly instances: Pick<Instances, 'list'>;
  readonly provider: string;
  readonly tagKeys: TagKeys;
};

/**
 * Looks, by its tags, for the instance of a creation that crashed before it was noted, and notes it. Only one that this provider launched:
 * anybody who may tag instances can write the tags.
 * @returns the record with it; undefined where EC2 has none, or was never asked for one.
 */
export const instanceLeftBehind = ({ records, instances, provider, tagKeys }: SearchParts) => {
  const living = async (creation: VmRecord, token?: string): Promise<Instance | undefined> => {
    const { region, vmId } = creation;
    const tag = { key: tagKeys.instanceId, value: vmId };
    const page = await instances.list({ region, tag, token, withinMs: patienceMs });
    const found = page.instances.find(
      ({ tags, state, clientToken }) =>
        state !== 'shutting-down' &&
        state !== 'terminated' &&
        vmIdOf(tags, tagKeys, provider) === vmId &&
        isLaunchedByUs(provider, creation, clientToken),
    );
    return found ?? (page.nextToken ? living(creation, page.nextToken) : undefined);
  };

  return async (creation: VmRecord): Promise<LaunchedRecord | undefined> => {
    const { vmId, region, launch } = creation;
    const instance = launch && (await living(creation));
    if (!instance) return undefined;
    const { instanceId, account } = instance;
    await records.adopt({ vmId, region, instanceId, account, facts: factsSeen(instance), adopted: false });
    const record = await records.read(vmId);
    return record && isLaunched(record) ? record : undefined;
  };
};
