import { VmResource } from '../../../../shared/wire/vm.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
  run: ({ readVm }, { vmId }) => readVm.get(vmId),
});
