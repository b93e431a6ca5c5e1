import { Health } from '../../../../shared/wire/health.ts';
import { healthPaths } from '../../../../shared/wire/public-paths.ts';
import { operation } from '../operation.ts';
import { NoQuery } from '../query.ts';

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
export const getVmsHealth = getHealth('getVmsHealth', healthPaths.vms, 'Get the health, as agents do');
export const getApiHealth = getHealth('getApiHealth', healthPaths.api, 'Get the health of the API');
export const getRootHealth = getHealth('getHealth', healthPaths.root, 'Get the health');
