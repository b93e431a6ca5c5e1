import * as z from 'zod/mini';
import { NoQuery, type Operation } from '../../../shared/http/operation.ts';
import { Health } from '../../../shared/wire/health.ts';
import { healthPaths, openApiPath } from '../../../shared/wire/public-paths.ts';
import type { UseCases } from '../use-cases.ts';
import {
  createVm,
  deleteVm,
  getVm,
  listVmEvents,
  listVms,
  operation,
  rebootVm,
  startVm,
  stopVm,
  validateVm,
} from './vms.ts';

const getHealth = (operationId: string, path: string, summary: string) =>
  operation({
    operationId,
    method: 'GET',
    path,
    summary,
    description:
      'EC2, the fleet table, the observations queue and NATS are asked; what is healthy is not asked again for 5 s. Always 200 in a region where VMs are created: `status` says how it is.',
    isPublic: true,
    query: NoQuery,
    status: 200,
    says: 'How the provider is.',
    answer: Health,
    problems: ['not-found'],
    run: ({ checkHealth }, { region }) => checkHealth(region),
  });

/** DCM asks below the endpoint that is registered; people and load balancers at the others. */
const getVmsHealth = getHealth('getVmsHealth', healthPaths.vms, 'Get the health, as agents do');
const getApiHealth = getHealth('getApiHealth', healthPaths.api, 'Get the health of the API');
const getRootHealth = getHealth('getHealth', healthPaths.root, 'Get the health');

const getOpenApi = operation({
  operationId: 'getOpenApi',
  method: 'GET',
  path: openApiPath,
  summary: 'Get this description',
  description: 'The API as an OpenAPI document.',
  isPublic: true,
  query: NoQuery,
  status: 200,
  says: 'The document.',
  answer: z.looseObject({}),
  problems: [],
  run: async () => (await import('../../../docs/openapi.json', { with: { type: 'json' } })).default,
});

/** Every operation of the API. The first whose path matches is meant, so those that could be taken for an id come first. */
export const operations: readonly Operation<UseCases>[] = [
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
