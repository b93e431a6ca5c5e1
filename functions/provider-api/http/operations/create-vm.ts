import * as z from 'zod/mini';
import { InvalidArgumentError } from '../../../../shared/domain/errors.ts';
import { VmResource } from '../../../../shared/wire/vm.ts';
import { specOf } from '../../spec/read-spec.ts';
import type { UseCases } from '../../use-cases.ts';
import { operation } from '../operation.ts';
import { VmId, vmIdOf } from '../vm-id.ts';

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
    const vmId = query.id ?? (await requestedId(useCases, header('idempotency-key')));
    concerns(vmId);
    return useCases.createVm({ vmId, region, spec: specOf(await body()), requestId });
  },
});

/**
 * A VM whose DCM id nobody knows could never be reported or deleted, so one is never made up.
 * @throws InvalidArgumentError where there is none. A retry would not help: the request is looked up where it must be as long as its agent
 * waits for our answer.
 */
const requestedId = async ({ findRequest }: UseCases, key: string | undefined): Promise<string> => {
  if (findRequest === undefined)
    throw new InvalidArgumentError(
      'id: expected ?id=, for this provider is not configured to look up the requests of environment agents by Idempotency-Key',
    );
  if (key === undefined || key === '')
    throw new InvalidArgumentError(
      'id: expected ?id=, or the Idempotency-Key of an environment agent’s request',
    );
  const id = await findRequest(key);
  if (id === null)
    throw new InvalidArgumentError(
      'id: expected ?id=, or an Idempotency-Key by which DCM’s request can be found; there is none with this one',
    );
  return vmIdOf(id, 'resource_id of the environment agent’s request');
};
