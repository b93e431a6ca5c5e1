import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../shared/core/errors.ts';
import { VmId } from '../../../shared/core/resource-id.ts';
import { NoQuery, operationsOf, parseId } from '../../../shared/http/operation.ts';
import { maximumTokenLength } from '../../../shared/http/paging.ts';
import { VmEvents, VmPage, VmResource, VmValidation } from '../../../shared/service-types/vm/resource.ts';
import { specOf, type VmSpec } from '../../../shared/service-types/vm/spec.ts';
import type { CreateAsked } from '../create-resource.ts';
import type { UseCases } from '../use-cases.ts';

/** Makes an operation of the API. */
export const operation = operationsOf<UseCases>({ id: VmId, logField: 'dcmId' });

const CreateQuery = z.object({ id: z.optional(VmId) });

export const createVm = operation({
  operationId: 'createVm',
  method: 'POST',
  path: '/api/v1alpha1/vms',
  summary: 'Create a VM',
  description:
    'Idempotent: a request with the `id` of an existing VM answers that VM, with 201 too. The body may also be the spec alone, without `spec` around it. Fields that are null, "", 0 or {} count as absent. An environment agent sends no `id`: its `Idempotency-Key` names the request that it forwards, and each of these requests creates one VM. Where that VM does not exist any more, the same key is answered with 409. So is every key for an id that DCM has deleted, for a week. Where `id` is given, it alone says which VM the request is for: a key is compared only with the keys of this VM, and the same key with another `id` creates another VM.',
  query: CreateQuery,
  headers: {
    'Idempotency-Key':
      'Names the request. Retries have the same key. Without `id`, the key must be the id of the CloudEvent by which DCM requested the VM from an environment agent, and the provider must be configured for environment agents: it then looks up the id of the VM in that request. Answered with 400 where no such request exists, and with 503 where the look-up has no result yet.',
  },
  takesSpec: true,
  status: 201,
  answered: 'The VM, created by this request or existing before.',
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
  run: async (useCases, { query, header, body, region, requestId, logResource }) => {
    const identity = await identityOf(useCases, { id: query.id, key: header('idempotency-key') });
    logResource(identity.dcmId);
    const asked = { ...identity, region, requestId };
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

/** Like the ids of DCM's CloudEvents, and longer ones. */
const acceptableKey = /^[\x21-\x7e]{1,256}$/;

/**
 * The id of the VM that a create is for, and the request that it belongs to, however the caller names them. An id is never generated: DCM
 * would not know the VM, and could neither follow nor delete it.
 * @throws InvalidArgumentError where the create has no id and never will; UnavailableError where the look-up has no result yet.
 */
const identityOf = async (
  { findRequest }: UseCases,
  { id, key = '' }: Named,
): Promise<Pick<CreateAsked<VmSpec>, 'dcmId' | 'request'>> => {
  if (key !== '' && !acceptableKey.test(key))
    throw new InvalidArgumentError('Idempotency-Key: expected 1 to 256 visible ASCII characters');
  if (id !== undefined) return { dcmId: id, request: key === '' ? undefined : { key } };
  if (findRequest === undefined)
    throw new InvalidArgumentError(
      'id: expected ?id=, since this provider is not configured to look up requests of environment agents by Idempotency-Key',
    );
  if (key === '')
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    );
  const found = await findRequest(key);
  if (found === null)
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of a request of DCM; no request has this key',
    );
  const { resourceId, serviceType = 'vm' } = found;
  if (serviceType !== 'vm')
    throw new InvalidArgumentError(
      `Idempotency-Key: expected a request for a vm; the request with this key is for a ${serviceType}`,
    );
  const dcmId = parseId(VmId, resourceId, 'resource_id of the environment agent’s request');
  return { dcmId, request: { key } };
};

export const validateVm = operation({
  operationId: ':ValidateVm',
  method: 'POST',
  path: '/api/v1alpha1/vms:validate',
  summary: 'Validate the creation of a VM',
  description:
    'Chooses image, instance type and subnet as a create would, and asks EC2 for a dry run of the launch. Creates nothing.',
  query: NoQuery,
  takesSpec: true,
  status: 200,
  answered: 'What a create with this spec would launch.',
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

const ListQuery = z.object({
  max_page_size: z._default(
    z.coerce
      .number({ error })
      .check(
        z.int({ error }),
        z.minimum(1, { error }),
        z.maximum(100, { error }),
        z.describe('The maximum number of VMs of a page.'),
      ),
    50,
  ),
  page_token: z.optional(
    z
      .string()
      .check(
        z.maxLength(maximumTokenLength, { error: `expected at most ${maximumTokenLength} characters` }),
        z.describe('The `next_page_token` of the previous page.'),
      ),
  ),
});

export const listVms = operation({
  operationId: 'listVms',
  method: 'GET',
  path: '/api/v1alpha1/vms',
  summary: 'List the VMs of a region',
  description:
    'In the order of their ids. A VM that is created or deleted between two pages does not shift the others. A page can have fewer VMs than `max_page_size`, or none, and still have a `next_page_token`. The last page has none.',
  query: ListQuery,
  status: 200,
  answered: 'One page of VMs.',
  answer: VmPage,
  problems: [],
  run: ({ readVm }, { region, query }) =>
    readVm.list({
      target: { region },
      maximumPageSize: query.max_page_size,
      pageToken: query.page_token,
    }),
});

export const getVm = operation({
  operationId: 'getVm',
  method: 'GET',
  path: '/api/v1alpha1/vms/{vm_id}',
  summary: 'Get a VM',
  description: 'What the provider knows of the VM; EC2 is not asked. Finds VMs of every region.',
  query: NoQuery,
  status: 200,
  answered: 'The VM.',
  answer: VmResource,
  problems: ['not-found'],
  run: ({ readVm }, { resourceId: dcmId }) => readVm.get(dcmId),
});

export const listVmEvents = operation({
  operationId: 'listVmEvents',
  method: 'GET',
  path: '/api/v1alpha1/vms/{vm_id}/events',
  summary: 'List the published statuses of a VM',
  description: 'The newest ten statuses in one page, the newest first.',
  query: NoQuery,
  status: 200,
  answered: 'The statuses.',
  answer: VmEvents,
  problems: ['not-found'],
  run: ({ readVm }, { resourceId: dcmId }) => readVm.events(dcmId),
});

const changes = {
  start: {
    operationId: ':StartVm',
    summary: 'Start a stopped VM',
    description: 'Without effect on a VM that is running already.',
  },
  stop: {
    operationId: ':StopVm',
    summary: 'Stop a running VM',
    description: 'The disks are kept. Without effect on a VM that is stopped already.',
  },
  reboot: {
    operationId: ':RebootVm',
    summary: 'Reboot a running VM',
    description: 'The status of the VM does not change.',
  },
} as const;

const changeVm = (change: keyof typeof changes) =>
  operation({
    ...changes[change],
    method: 'POST',
    path: `/api/v1alpha1/vms/{vm_id}:${change}`,
    query: NoQuery,
    status: 200,
    answered: 'The VM. EC2 accepted the request; the statuses are published on NATS.',
    answer: VmResource,
    problems: [
      'permission-denied',
      'not-found',
      'failed-precondition',
      'resource-exhausted',
      'upstream',
      'insufficient-capacity',
    ],
    run: (useCases, { resourceId: dcmId, requestId }) => useCases.changeVm(dcmId, change, requestId),
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
    'Terminates the instance. Idempotent: also answered with 204 where there is no such VM. DELETING and DELETED are published on NATS. An adopted VM, whose instance this provider did not launch, is not deleted but answered with 409, unless the setting `provisioning.changeAdopted` allows it.',
  query: NoQuery,
  status: 204,
  answered: 'The VM is being deleted, or does not exist.',
  answer: undefined,
  problems: ['permission-denied', 'failed-precondition', 'resource-exhausted', 'upstream'],
  run: ({ deleteVm: run }, { resourceId: dcmId, requestId }) => run(dcmId, requestId),
});
