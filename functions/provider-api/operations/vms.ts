import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/core/errors.ts';
import { VmId } from '../../../shared/core/resource-id.ts';
import { NoQuery, operationsOf } from '../../../shared/http/operation.ts';
import { maximumTokenLength } from '../../../shared/http/paging.ts';
import { VmEvents, VmPage, VmResource, VmValidation } from '../../../shared/service-types/vm/resource.ts';
import { specOf } from '../../../shared/service-types/vm/spec.ts';
import type { Asked } from '../create-resource.ts';
import type { UseCases } from '../use-cases.ts';

/** Operations are how the API's callers reach the use cases. */
export const operation = operationsOf<UseCases>();

const Query = z.object({ id: z.optional(VmId) });

export const createVm = operation({
  operationId: 'createVm',
  method: 'POST',
  path: '/api/v1alpha1/vms',
  summary: 'Create a VM',
  description:
    'Idempotent: the same `id` again answers the VM that there is, with 201, too. The spec may also stand alone, without `spec` around it; null, "", 0 and {} in it mean nothing. An environment agent leaves out `id`, and its `Idempotency-Key` names the request that it forwards. A request creates one VM: once that is gone, the same key is answered 409, and so is every key for an id that DCM has deleted, for a week.',
  query: Query,
  headers: {
    'Idempotency-Key':
      'Which request this is, however often it is sent. Where there is no `id`: the id of the CloudEvent in which DCM requested the VM of an environment agent; looked up only where the provider is configured for an environment agent. 400 where no such request exists, 503 where that is not established yet.',
  },
  takesSpec: true,
  status: 201,
  says: 'The VM: created, or the one that there is.',
  answer: VmResource,
  problems: [
    'permission-denied',
    'failed-precondition',
    'payload-too-large',
    'unprocessable',
    'resource-exhausted',
    'upstream',
    'insufficient-capacity',
  ],
  run: async (useCases, { query, header, body, region, requestId, concerns }) => {
    const subject = await subjectOf(useCases, { id: query.id, key: header('idempotency-key') });
    concerns(subject.vmId);
    const asked = { ...subject, region, requestId };
    return useCases.reportRefusals(asked, async () =>
      useCases.createVm({ ...asked, spec: specOf(await body()) }),
    );
  },
});

type Named = {
  /** `?id=`. */
  readonly id: string | undefined;
  /** `Idempotency-Key`. */
  readonly key: string | undefined;
};
type Subject = Pick<Asked, 'vmId' | 'request'>;

/** As DCM's ids of CloudEvents, with room for others'. */
const acceptableKey = /^[\x21-\x7e]{1,256}$/;

/**
 * Which VM a create is for, and of which request it is, in each of the ways in which callers say it. An id is never made up: DCM would not
 * know the VM, and could neither follow nor delete it.
 * @throws InvalidArgumentError where the create can never be connected with an id; UnavailableError where the request could not be looked
 * up this time.
 */
const subjectOf = async ({ findRequest }: UseCases, { id, key = '' }: Named): Promise<Subject> => {
  if (key !== '' && !acceptableKey.test(key))
    throw new InvalidArgumentError('Idempotency-Key: expected 1 to 256 visible ASCII characters');
  if (id !== undefined) return { vmId: id, request: key === '' ? undefined : { key } };
  if (findRequest === undefined)
    throw new InvalidArgumentError(
      'id: expected ?id=, for this provider is not configured to look up the requests of environment agents by Idempotency-Key',
    );
  if (key === '')
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    );
  const found = await findRequest(key);
  if (found === null)
    throw new InvalidArgumentError(
      'id: expected ?id=, or an Idempotency-Key by which DCM’s request can be found; there is none with this one',
    );
  const { resourceId, serviceType = 'vm' } = found;
  if (serviceType !== 'vm')
    throw new InvalidArgumentError(
      `Idempotency-Key: expected a request for a vm; the one with this key is for a ${serviceType}`,
    );
  const vmId = vmIdOf(resourceId, 'resource_id of the environment agent’s request');
  return { vmId, request: { key } };
};

export const validateVm = operation({
  operationId: ':ValidateVm',
  method: 'POST',
  path: '/api/v1alpha1/vms:validate',
  summary: 'Rehearse the creation of a VM',
  description:
    'Decides on image, instance type and subnet, and asks EC2 whether it would launch it. Creates nothing.',
  query: NoQuery,
  takesSpec: true,
  status: 200,
  says: 'What a create with this spec would do.',
  answer: VmValidation,
  problems: [
    'permission-denied',
    'payload-too-large',
    'unprocessable',
    'resource-exhausted',
    'upstream',
    'insufficient-capacity',
  ],
  run: async (useCases, { body, region, requestId }) =>
    useCases.validateVm(specOf(await body()), { region, requestId }),
});

const error = 'expected a whole number from 1 to 100';

const QueryListVms = z.object({
  max_page_size: z._default(
    z.coerce
      .number({ error })
      .check(
        z.int({ error }),
        z.minimum(1, { error }),
        z.maximum(100, { error }),
        z.describe('How many VMs a page has at most.'),
      ),
    50,
  ),
  page_token: z.optional(
    z
      .string()
      .check(
        z.maxLength(maximumTokenLength, { error: `expected at most ${maximumTokenLength} characters` }),
        z.describe('`next_page_token` of the page before.'),
      ),
  ),
});

export const listVms = operation({
  operationId: 'listVms',
  method: 'GET',
  path: '/api/v1alpha1/vms',
  summary: 'List the VMs of a region',
  description:
    'In the order of their ids. VMs that come or go while pages are read move no other. A page can have fewer VMs than `max_page_size`, or none, and still have a `next_page_token`: the last page is the one without it.',
  query: QueryListVms,
  status: 200,
  says: 'One page of VMs.',
  answer: VmPage,
  problems: [],
  run: ({ readVm }, { region, query }) =>
    readVm.list({
      region,
      maximumPageSize: query.max_page_size,
      pageToken: query.page_token,
    }),
});

export const getVm = operation({
  operationId: 'getVm',
  method: 'GET',
  path: '/api/v1alpha1/vms/{vm_id}',
  summary: 'Get a VM',
  description: 'What the provider knows of it; EC2 is not asked. VMs of every region are found.',
  query: NoQuery,
  status: 200,
  says: 'The VM.',
  answer: VmResource,
  problems: ['not-found'],
  run: ({ readVm }, { resourceId: vmId }) => readVm.get(vmId),
});

export const listVmEvents = operation({
  operationId: 'listVmEvents',
  method: 'GET',
  path: '/api/v1alpha1/vms/{vm_id}/events',
  summary: 'List the statuses of a VM that were published',
  description: 'The newest ten statuses, the newest first, in one page.',
  query: NoQuery,
  status: 200,
  says: 'The statuses.',
  answer: VmEvents,
  problems: ['not-found'],
  run: ({ readVm }, { resourceId: vmId }) => readVm.events(vmId),
});

const changes = {
  start: {
    operationId: ':StartVm',
    summary: 'Start a stopped VM',
    description: 'A VM that runs keeps running.',
  },
  stop: {
    operationId: ':StopVm',
    summary: 'Stop a running VM',
    description: 'Its disks are kept. A VM that is stopped stays so.',
  },
  reboot: {
    operationId: ':RebootVm',
    summary: 'Reboot a running VM',
    description: 'Its status does not change.',
  },
} as const;

const changeVm = (change: keyof typeof changes) =>
  operation({
    ...changes[change],
    method: 'POST',
    path: `/api/v1alpha1/vms/{vm_id}:${change}`,
    query: NoQuery,
    status: 200,
    says: 'The VM. EC2 has taken the request; statuses follow by NATS.',
    answer: VmResource,
    problems: [
      'permission-denied',
      'not-found',
      'failed-precondition',
      'resource-exhausted',
      'upstream',
      'insufficient-capacity',
    ],
    run: (useCases, { resourceId: vmId, requestId }) => useCases.changeVm(vmId, change, requestId),
  });

export const startVm = changeVm('start');
export const stopVm = changeVm('stop');
export const rebootVm = changeVm('reboot');

export const deleteVm = operation({
  operationId: 'deleteVm',
  method: 'DELETE',
  path: '/api/v1alpha1/vms/{vm_id}',
  summary: 'Delete a VM',
  description:
    'Terminates the instance. Idempotent: a VM that is gone, or never was, is deleted. DELETING and DELETED follow by NATS. Of an adopted VM, which this provider did not launch, it is refused with 409 unless the setting `provisioning.changeAdopted` allows it.',
  query: NoQuery,
  status: 204,
  says: 'It is being deleted, or gone.',
  answer: undefined,
  problems: ['permission-denied', 'failed-precondition', 'resource-exhausted', 'upstream'],
  run: ({ deleteVm: run }, { resourceId: vmId, requestId }) => run(vmId, requestId),
});

/** @throws InvalidArgumentError where no VM can have this id. */
export const vmIdOf = (id: string, what: string): string => {
  const parsed = VmId.safeParse(id);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${what}: ${parsed.error.issues[0]?.message}`);
};
