import * as z from 'zod/mini';
import { VmStatus as Status } from '../domain/vm-status.ts';

const DateTime = z.iso.datetime();

const VmStatus = Status.check(
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
    status: VmStatus,
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
    status: VmStatus,
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
