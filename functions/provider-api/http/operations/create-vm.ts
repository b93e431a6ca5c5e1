import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../../shared/domain/errors.ts';
import { VmId } from '../../../../shared/domain/vm-id.ts';
import { VmResource } from '../../../../shared/wire/vm.ts';
import type { Asked } from '../../create/create-vm.ts';
import { specOf } from '../../spec/read-spec.ts';
import type { UseCases } from '../../use-cases.ts';
import { operation } from '../operation.ts';
import { vmIdOf } from '../vm-id.ts';

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
