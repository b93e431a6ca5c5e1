import { VmEvents } from '../../../../shared/wire/vm.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
  run: ({ readVm }, { vmId }) => readVm.events(vmId),
});
