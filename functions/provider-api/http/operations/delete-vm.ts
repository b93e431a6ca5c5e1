import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
  run: ({ deleteVm: run }, { vmId, requestId }) => run(vmId, requestId),
});
