import type { Operation } from '../operation.ts';
import { rebootVm, startVm, stopVm } from './change-vm.ts';
import { createVm } from './create-vm.ts';
import { deleteVm } from './delete-vm.ts';
import { getApiHealth, getRootHealth, getVmsHealth } from './get-health.ts';
import { getOpenApi } from './get-openapi.ts';
import { getVm } from './get-vm.ts';
import { listVmEvents } from './list-vm-events.ts';
import { listVms } from './list-vms.ts';
import { validateVm } from './validate-vm.ts';

/** Every operation of the API. The first whose path matches is meant, so those that could be taken for an id come first. */
export const operations: readonly Operation[] = [
  getVmsHealth,
  createVm,
  listVms,
  getVm,
  deleteVm,
  startVm,
  stopVm,
  rebootVm,
  validateVm,
  listVmEvents,
  getApiHealth,
  getRootHealth,
  getOpenApi,
];
