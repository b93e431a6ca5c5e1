import * as z from 'zod/mini';
import { isLaunched } from '../../core/record.ts';
import { targetOfKey } from '../../core/target.ts';
import type { Ownership } from '../../ports/resource-store.ts';
import { answeredStatus, eventsOf, pageOf } from '../answers.ts';
import { VmStatus as Status, type VmStatus, vmKind } from './kind.ts';
import type { LaunchedVmRecord, VmRecord } from './record.ts';

const DateTime = z.iso.datetime();

const DescribedStatus = Status.check(z.meta({ id: 'VmStatus', description: 'DCM’s status of the VM.' }));

const described = (description: string) => z.string().check(z.describe(description));

const ChosenBy = z
  .object({
    image: described(
      'The rule for the image: a field of the spec, or the list of images and the entry in it.',
    ),
    instance_type: described('The rule for the instance type.'),
  })
  .check(z.meta({ id: 'ChosenBy', description: 'The rules that chose the image and the instance type.' }));

/** A VM as the provider's API answers it. Fields that are not known (yet) are absent. */
export const VmResource = z
  .object({
    id: described('DCM’s id of the VM.'),
    path: described('`vms/{id}`'),
    status: DescribedStatus,
    status_message: described('The instance’s state, with the reason or a warning of EC2.'),
    region: described('AWS region.'),
    instance_id: z.optional(described('The id of the EC2 instance.')),
    adopted: z.optional(
      z
        .boolean()
        .check(
          z.describe(
            'Whether the instance was tagged as a VM, and not launched by this provider. An adopted VM is reported, but not changed unless the setting `provisioning.changeAdopted` allows it.',
          ),
        ),
    ),
    instance_type: z.optional(described('The EC2 instance type.')),
    image_id: z.optional(described('The id of the AMI.')),
    zone: z.optional(described('The Availability Zone.')),
    private_ip_address: z.optional(
      described('The address in the VPC: IPv4, or IPv6 in a subnet without IPv4.'),
    ),
    public_ip_address: z.optional(
      described('The public IPv4 address. A stopped VM has none, and gets another one when it is started.'),
    ),
    ssh: z.optional(
      z
        .object({
          user: described('The default user of the image.'),
          command: z.optional(described('The SSH command. Only while the VM is running.')),
        })
        .check(z.describe('How to log in. Only where the default user of the image is known.')),
    ),
    chosen_by: z.optional(ChosenBy),
    create_time: DateTime.check(z.describe('When DCM requested the VM.')),
    update_time: DateTime.check(z.describe('When the status last changed.')),
  })
  .check(z.meta({ id: 'Vm', description: 'A VM. Fields that are not known (yet) are absent.' }));
export type VmResource = z.infer<typeof VmResource>;

export const VmPage = pageOf(vmKind, VmResource);
export type VmPage = z.infer<typeof VmPage>;

export const VmEvents = eventsOf(vmKind, { service: 'EC2', status: DescribedStatus });
export type VmEvents = z.infer<typeof VmEvents>;

/** What a create with a spec would launch. */
export const VmValidation = z
  .object({
    region: described('AWS region.'),
    image_id: described('The id of the AMI.'),
    instance_type: described('The EC2 instance type.'),
    subnet_id: z.optional(described('The subnet that is tried first; absent where EC2 chooses.')),
    zone: z.optional(described('The Availability Zone that is tried first.')),
    chosen_by: ChosenBy,
    vcpu_quota: described(
      'The vCPUs that the VM needs, compared with the account’s quota, in words; or why they could not be compared.',
    ),
  })
  .check(z.meta({ id: 'VmValidation', description: 'What a create with this spec would launch.' }));
export type VmValidation = z.infer<typeof VmValidation>;

/** A VM as the API answers it. */
export const vmResource = (record: VmRecord, held: Ownership, nowMs: number): VmResource => {
  const { at, message, ...answered } = answeredStatus(vmKind, record, { held, nowMs });
  const status = Status.parse(answered.status);
  const updatedAtMs = Math.max(record.createdAtMs, at * 1000);
  return {
    id: record.dcmId,
    path: `vms/${record.dcmId}`,
    status,
    status_message: message,
    region: targetOfKey(record.region).region,
    ...(isLaunched(record) && instanceFields(record, status, publicAddressOf(held))),
    create_time: new Date(record.createdAtMs).toISOString(),
    update_time: new Date(updatedAtMs).toISOString(),
  };
};

const publicAddressOf = (held: Ownership): string | undefined =>
  held.owner === 'ours' ? held.vm.publicAddress || undefined : undefined;

const instanceFields = (
  { resourceId: instanceId, facts, adopted }: LaunchedVmRecord,
  status: VmStatus,
  publicAddress: string | undefined,
): Partial<VmResource> => {
  const address = publicAddress ?? facts.privateAddress;
  const fields = {
    instance_id: instanceId,
    adopted: adopted ?? (facts.chosenBy ? false : undefined), // records of earlier versions do not have it
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

/** The command only while the VM has an address and is running. */
const sshOf = (user: string | undefined, address: string | undefined): VmResource['ssh'] => {
  if (user === undefined) return undefined;
  return address === undefined ? { user } : { user, command: `ssh ${user}@${address}` };
};
