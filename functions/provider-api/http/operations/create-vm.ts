import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../../shared/domain/errors.ts';
import { VmId } from '../../../../shared/domain/vm-id.ts';
import { VmResource } from '../../../../shared/wire/vm.ts';
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
    'Idempotent: the same `id` again answers the VM that there is, with 201, too. The spec may also stand alone, without `spec` around it; null, "", 0 and {} in it mean nothing. `id` may be left out by an environment agent, whose `Idempotency-Key` names the request that it passes on.',
  query: Query,
  headers: {
    'Idempotency-Key':
      'Where there is no `id`: the id of the CloudEvent in which DCM asked an environment agent for the VM. Read only where the provider is configured to look such requests up.',
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
    const vmId = await requestedId(useCases, { id: query.id, key: header('idempotency-key') });
    concerns(vmId);
    return useCases.createVm({ vmId, region, spec: specOf(await body()), requestId });
  },
});

type Named = {
  /** `?id=`. */
  readonly id: string | undefined;
  /** `Idempotency-Key`. */
  readonly key: string | undefined;
};

/**
 * The id of the VM that a create is for, in each of the ways in which callers say it. An id is never made up: DCM would not know the VM, and
 * could neither follow nor delete it.
 * @throws InvalidArgumentError where the create can never be connected with an id; UnavailableError where the request could not be looked
 * up this time.
 */
const requestedId = async ({ findRequest }: UseCases, { id, key = '' }: Named): Promise<string> => {
  if (id !== undefined) return id;
  if (findRequest === undefined)
    throw new InvalidArgumentError(
      'id: expected ?id=, for this provider is not configured to look up the requests of environment agents by Idempotency-Key',
    );
  if (key === '')
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    );
  const request = await findRequest(key);
  if (request === null)
    throw new InvalidArgumentError(
      'id: expected ?id=, or an Idempotency-Key by which DCM’s request can be found; there is none with this one',
    );
  const { resourceId, serviceType = 'vm' } = request;
  if (serviceType !== 'vm')
    throw new InvalidArgumentError(
      `Idempotency-Key: expected a request for a vm; the one with this key is for a ${serviceType}`,
    );
  return vmIdOf(resourceId, 'resource_id of the environment agent’s request');
};
