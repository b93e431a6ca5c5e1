import * as z from 'zod/mini';
import { VmStatus as Status } from '../domain/vm-status.ts';

const DateTime = z.iso.datetime();

const VmStatus = Status.check(
  z.meta({ id: 'VmStatus', description: 'What DCM calls the state of the instance.' }),
);

const described = (description: string) => z.string().check(z.describe(description));

const ChosenBy = z
  .object({ image: z.string(), instance_type: z.string() })
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
    instance_type: z.optional(z.string()),
    image_id: z.optional(z.string()),
    zone: z.optional(described('Availability zone.')),
    private_ip_address: z.optional(z.string()),
    public_ip_address: z.optional(z.string()),
    ssh: z.optional(z.object({ user: z.string(), command: z.optional(z.string()) })),
    chosen_by: z.optional(ChosenBy),
    create_time: DateTime,
    update_time: DateTime,
  })
  .check(z.meta({ id: 'Vm', description: 'A VM. What is not known (yet) is left out.' }));
export type VmResource = z.infer<typeof VmResource>;

export const VmPage = z
  .object({
    results: z.array(VmResource),
    next_page_token: z.optional(described('Asks for the next page; absent on the last one.')),
  })
  .check(z.meta({ id: 'VmPage', description: 'A page of VMs.' }));
export type VmPage = z.infer<typeof VmPage>;

/** One status that DCM was told, or is about to be. */
const VmEvent = z
  .object({ status: VmStatus, message: z.string(), time: DateTime })
  .check(z.meta({ id: 'VmEvent', description: 'One status that DCM was told, or is about to be.' }));
export type VmEvent = z.infer<typeof VmEvent>;

/** The newest first; at most ten. */
export const VmEvents = z
  .object({ results: z.array(VmEvent) })
  .check(z.meta({ id: 'VmEvents', description: 'At most ten statuses, the newest first.' }));
export type VmEvents = z.infer<typeof VmEvents>;

/** What a create with this spec would do. */
export const VmValidation = z
  .object({
    region: z.string(),
    image_id: z.string(),
    instance_type: z.string(),
    subnet_id: z.optional(z.string()),
    zone: z.optional(z.string()),
    chosen_by: ChosenBy,
    vcpu_quota: described(
      'How the VM compares with the account’s quota of vCPUs, in words; or why that is not known.',
    ),
  })
  .check(z.meta({ id: 'VmValidation', description: 'What a create with this spec would do.' }));
export type VmValidation = z.infer<typeof VmValidation>;
