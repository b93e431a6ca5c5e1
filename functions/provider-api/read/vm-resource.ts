import type { Past } from '../../../shared/domain/history.ts';
import { describedStatus } from '../../../shared/domain/vm.ts';
import { isLaunched, type LaunchedRecord, type VmRecord } from '../../../shared/domain/vm-record.ts';
import type { VmStatus } from '../../../shared/domain/vm-status.ts';
import type { Recollection } from '../../../shared/ports/fleet.ts';
import type { VmResource } from '../../../shared/wire/vm.ts';

type Told = Pick<Past, 'at' | 'status' | 'message'>;

/** What is remembered of a VM, as the API answers it. */
export const vmResource = (record: VmRecord, held: Recollection, nowMs: number): VmResource => {
  const { at, status, message } = whileDeleting(record, toldOf(record, held, nowMs));
  const updatedAtMs = Math.max(record.createdAtMs, at * 1000);
  return {
    id: record.vmId,
    path: `vms/${record.vmId}`,
    status,
    status_message: message,
    region: record.region,
    ...(isLaunched(record) && instanceFields(record, status, publicAddressOf(held))),
    create_time: new Date(record.createdAtMs).toISOString(),
    update_time: new Date(updatedAtMs).toISOString(),
  };
};

/** So long after it was last in somebody's hands, a creation that led to no instance has failed. */
const interruptedForMs = 5 * 60_000;

const toldOf = (record: VmRecord, held: Recollection, nowMs: number): Told => {
  if (isLaunched(record)) {
    const latest = held.owner === 'us' ? held.vm.latest : undefined;
    return latest ?? pendingStatus(record);
  }
  const at = Math.floor(record.updatedAtMs / 1000);
  if (nowMs < (record.leaseUntilMs ?? 0) + interruptedForMs)
    return { at, status: 'PROVISIONING', message: 'no instance has been launched yet' };
  const message = 'its creation was interrupted, and no instance was found: create it again, or delete it';
  return { at, status: 'FAILED', message };
};

/** The status that DCM is told of the launch. */
const pendingStatus = ({ instanceId, region, account, facts }: LaunchedRecord): Told =>
  describedStatus({
    kind: 'observation',
    instanceId,
    region,
    account,
    at: Math.floor(facts.launchedAtMs / 1000),
    state: 'pending',
    seenBy: 'api',
  });

const ended: readonly VmStatus[] = ['DELETING', 'DELETED', 'FAILED'];

const whileDeleting = ({ deleteRequestedAtMs }: VmRecord, told: Told): Told => {
  if (deleteRequestedAtMs === undefined || ended.includes(told.status)) return told;
  const at = Math.max(told.at, Math.floor(deleteRequestedAtMs / 1000));
  return { at, status: 'DELETING', message: `${told.message}; DCM has asked for its deletion` };
};

const publicAddressOf = (held: Recollection): string | undefined =>
  held.owner === 'us' ? held.vm.publicAddress || undefined : undefined;

const instanceFields = (
  { instanceId, facts, adopted }: LaunchedRecord,
  status: VmStatus,
  publicAddress: string | undefined,
): Partial<VmResource> => {
  const address = publicAddress ?? facts.privateAddress;
  const fields = {
    instance_id: instanceId,
    adopted: adopted ?? (facts.chosenBy ? false : undefined), // records of earlier versions do not say
    instance_type: facts.instanceType,
    image_id: facts.imageId,
    zone: facts.zone,
    private_ip_address: facts.privateAddress,
    public_ip_address: publicAddress,
    ssh: sshOf(facts.sshUser, status === 'RUNNING' ? address : undefined),
    chosen_by: facts.chosenBy && {
      image: facts.chosenBy.image,
      instance_type: facts.chosenBy.instanceType,
    },
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
};

/** The command only while somebody can log in. */
const sshOf = (user: string | undefined, address: string | undefined): VmResource['ssh'] => {
  if (user === undefined) return undefined;
  return address === undefined ? { user } : { user, command: `ssh ${user}@${address}` };
};
