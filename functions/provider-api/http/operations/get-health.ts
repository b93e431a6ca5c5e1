import { Health } from '../../../../shared/wire/health.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

const getHealth = (operationId: string, path: string, summary: string) =>
  operation({
    operationId,
    method: 'GET',
    path,
    summary,
    description:
      'EC2, the fleet table, the observations queue and NATS are asked; what is healthy is not asked again for 5 s. Always 200: `status` says how it is.',
    isPublic: true,
    query: NoQuery,
    status: 200,
    says: 'How the provider is.',
    answer: Health,
    problems: [],
    run: ({ checkHealth }, { region }) => checkHealth(region),
  });

/** DCM asks below the endpoint that is registered; people and load balancers at the others. */
export const getVmsHealth = getHealth(
  'getVmsHealth',
  '/api/v1alpha1/vms/health',
  'Get the health, as DCM does',
);
export const getApiHealth = getHealth('getApiHealth', '/api/v1alpha1/health', 'Get the health of the API');
export const getRootHealth = getHealth('getHealth', '/health', 'Get the health');
