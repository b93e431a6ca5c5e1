import { VmResource } from '../../../../shared/wire/vm.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
    run: (useCases, { vmId, requestId }) => useCases.changeVm(vmId, change, requestId),
  });

export const startVm = changeVm('start');
export const stopVm = changeVm('stop');
export const rebootVm = changeVm('reboot');
