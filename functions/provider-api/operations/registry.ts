import * as z from 'zod/mini';
import { ServiceType } from '../../../shared/core/kind.ts';
import { NoQuery, type Operation, operationsOf } from '../../../shared/http/operation.ts';
import { healthPaths, openApiPath } from '../../../shared/wire/public-paths.ts';
import { clusterOperations } from '../service-types/cluster.ts';
import { containerOperations } from '../service-types/container.ts';
import { vmOperations } from '../service-types/vm.ts';
import type { UseCases } from '../use-cases.ts';
import { healthOperation, idsOf } from './collection.ts';
import { consoleOperations } from './console.ts';
import { usageOperation } from './usage.ts';

const ofAll = {
  description:
    'Of all service types that are deployed: healthy where the DynamoDB table, the observations queue and NATS answer, and at least one of EC2, ECS and EKS does, as far as their resources are created in the region. `detail` names what does not. A healthy result is cached for 5 s.',
};

/** DCM polls the health of a collection, below the registered endpoint; people and load balancers use these paths. */
const getApiHealth = healthOperation({
  ...{ operationId: 'getApiHealth', path: healthPaths.api, summary: 'Get the health of the API', ...ofAll },
});
const getRootHealth = healthOperation({
  ...{ operationId: 'getHealth', path: healthPaths.root, summary: 'Get the health', ...ofAll },
});

const getOpenApi = operationsOf<UseCases>(idsOf({ serviceType: 'vm' }))({
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

/**
 * The operations on the resources of each service type. A service type has one file in ../service-types, as vm.ts: a `Collection` that makes
 * the operations, which are listed here; a `Lifecycle` that makes the use cases, which are a field of `UseCases` and which handler.ts wires;
 * and its example in tools/api-examples.ts for the OpenAPI document. What is large, such as the plan of a launch and its adapters' SDK
 * clients, is imported when it is first used.
 */
const operationsOfType: Readonly<Record<ServiceType, readonly Operation<UseCases>[]>> = {
  vm: vmOperations,
  container: containerOperations,
  cluster: clusterOperations,
};

/**
 * Every operation of an API with these service types. The first one whose path matches is run, so paths that could be taken for an id come
 * first.
 */
export const operationsWith = (
  serviceTypes: readonly ServiceType[],
  { hasConsole = false }: { readonly hasConsole?: boolean } = {},
): readonly Operation<UseCases>[] => [
  ...serviceTypes.flatMap((serviceType) => operationsOfType[serviceType]),
  usageOperation(),
  getApiHealth,
  getRootHealth,
  getOpenApi,
  ...(hasConsole ? consoleOperations : []),
];

/** Every operation that the API can have. */
export const operations = operationsWith(ServiceType.options, { hasConsole: true });
