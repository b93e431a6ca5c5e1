import * as z from 'zod/mini';
import type { PastStatus } from '../../core/history.ts';
import { hasEnded, isLaunched, type LaunchedRecord, type VmRecord } from '../../core/record.ts';
import { describedStatus } from '../../core/resource.ts';
import type { Recollection, ResourceStore } from '../../ports/resource-store.ts';
import { VmStatus as Status, type VmStatus } from './kind.ts';

const DateTime = z.iso.datetime();

const DescribedStatus = Status.check(
  z.meta({ id: 'VmStatus', description: 'What DCM calls the state of the instance.' }),
);

const described = (description: string) => z.string().check(z.describe(description));

const ChosenBy = z
  .object({
    image: described('The image’s: a field of the spec, or a list and what was found in it.'),
    instance_type: described('The instance type’s.'),
  })
  .check(z.meta({ id: 'ChosenBy', description: 'Which rule chose the image and the instance type.' }));

/** A VM as the provider's API answers it. What is not known (yet) is left out. */
export const VmResource = z
  .object({
    id: described('The id that DCM has given the VM.'),
    path: described('`vms/{id}`'),
    status: DescribedStatus,
    status_message: described('What EC2 says of it, or a warning.'),
    region: described('AWS region.'),
    instance_id: z.optional(described('EC2’s id.')),
    adopted: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            'Whether the instance was tagged as a VM and not launched by this provider. It is then reported, and not changed unless the setting `provisioning.changeAdopted` allows it.',
          ),
        ),
    ),
    instance_type: z.optional(described('As EC2 names it.')),
    image_id: z.optional(described('The AMI.')),
    zone: z.optional(described('Availability zone.')),
    private_ip_address: z.optional(described('In the VPC: IPv4, or IPv6 where the subnet has no IPv4.')),
    public_ip_address: z.optional(described('IPv4; gone while it is stopped, another when it runs again.')),
    ssh: z.optional(
      z
        .object({
          user: described('The image’s own.'),
          command: z.optional(described('While it runs.')),
        })
        .check(z.describe('How to log in, where the image is known to let anybody in.')),
    ),
    chosen_by: z.optional(ChosenBy),
    create_time: DateTime.check(z.describe('When DCM asked for it.')),
    update_time: DateTime.check(z.describe('When its status changed last.')),
  })
  .check(z.meta({ id: 'Vm', description: 'A VM. What is not known (yet) is left out.' }));
export type VmResource = z.infer<typeof VmResource>;

export const VmPage = z
  .object({
    results: z.array(VmResource),
    next_page_token: z.optional(
      described('Asks for the next page; absent on the last one. A page without VMs can have it, too.'),
    ),
  })
  .check(z.meta({ id: 'VmPage', description: 'A page of VMs.' }));
export type VmPage = z.infer<typeof VmPage>;

/** One status that was published for DCM, or is about to be. */
const VmEvent = z
  .object({
    status: DescribedStatus,
    message: described('Why, in words.'),
    update_time: DateTime.check(z.describe('When EC2 had it so.')),
  })
  .check(z.meta({ id: 'VmEvent', description: 'One status that was published for DCM, or is about to be.' }));
export type VmEvent = z.infer<typeof VmEvent>;

/** The newest first; at most ten. */
export const VmEvents = z
  .object({ results: z.array(VmEvent) })
  .check(z.meta({ id: 'VmEvents', description: 'At most ten statuses, the newest first.' }));
export type VmEvents = z.infer<typeof VmEvents>;

/** What a create with this spec would do. */
export const VmValidation = z
  .object({
    region: described('AWS region.'),
    image_id: described('The AMI.'),
    instance_type: described('As EC2 names it.'),
    subnet_id: z.optional(described('The first that is tried; absent where EC2 chooses.')),
    zone: z.optional(described('Availability zone, the first that is tried.')),
    chosen_by: ChosenBy,
    vcpu_quota: described(
      'How the VM compares with the account’s quota of vCPUs, in words; or why that is not known.',
    ),
  })
  .check(z.meta({ id: 'VmValidation', description: 'What a create with this spec would do.' }));
export type VmValidation = z.infer<typeof VmValidation>;

type Told = Pick<PastStatus, 'at' | 'status' | 'message'>;

/** Makes the API's answer of a resource from its record and from what the resource store holds of it. */
export type AnswerOf<Answer> = (record: VmRecord, held: Recollection, nowMs: number) => Answer;

/** A VM as the API answers it. */
export const vmResource: AnswerOf<VmResource> = (record, held, nowMs) => {
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

/** What the fleet remembers of a record's instance. */
export const recollectionOf = async (
  resourceStore: Pick<ResourceStore, 'recall'>,
  { instanceId }: LaunchedRecord,
): Promise<Recollection> =>
  (await resourceStore.recall([instanceId])).get(instanceId) ?? { owner: 'unknown' };

/** There is no such VM any more. One whose launch failed is there, FAILED, until DCM deletes it. */
export const isGone = (record: VmRecord, held: Recollection, nowMs: number): boolean => {
  if (!isLaunched(record) || !hasEnded(record, held, nowMs)) return false;
  const hasFailed =
    held.owner === 'us' && held.vm.vmId === record.vmId && held.vm.latest?.status === 'FAILED';
  return !hasFailed || record.deleteRequestedAtMs !== undefined || record.endedAtMs !== undefined;
};
