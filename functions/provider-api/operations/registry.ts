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
      'Checks EC2, the DynamoDB table, the observations queue and NATS. A healthy result is cached for 5 s. Always answered with 200 in a region where VMs are created: see `status`.',
    isPublic: true,
    query: NoQuery,
    status: 200,
    answered: 'The health of the provider.',
    answer: Health,
    problems: ['not-found'],
    run: ({ checkHealth }, { region }) => checkHealth({ region }),
  });

/** DCM polls the health below the registered endpoint; people and load balancers use the other paths. */
const getVmsHealth = getHealth('getVmsHealth', healthPaths.vms, 'Get the health, as DCM does');
const getApiHealth = getHealth('getApiHealth', healthPaths.api, 'Get the health of the API');
const getRootHealth = getHealth('getHealth', healthPaths.root, 'Get the health');

const getOpenApi = operation({
  operationId: 'getOpenApi',
  method: 'GET',
  path: openApiPath,
  summary: 'Get the OpenAPI document',
  description: 'The description of this API.',
  isPublic: true,
  query: NoQuery,
  status: 200,
  answered: 'The document.',
  answer: z.looseObject({}),
  problems: [],
  run: async () => (await import('../../../docs/openapi.json', { with: { type: 'json' } })).default,
});

/** Every operation of the API. The first one whose path matches is run, so paths that could be taken for an id come first. */
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
