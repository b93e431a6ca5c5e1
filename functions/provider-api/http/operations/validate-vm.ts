import { VmValidation } from '../../../../shared/wire/vm.ts';
import { specOf } from '../../spec/read-spec.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
